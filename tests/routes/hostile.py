"""Words that would run, or leave elements behind, wherever text is taken for markup or script. `RAN` marks what ran;
elements carry `data-xss`, so that also markup that does nothing is noticed."""

from dataclasses import dataclass

from playwright.async_api import Page

RAN = "__ran()"
ELEMENTS = [
    f"<script data-xss>{RAN}</script>",
    f"<SCRIPT data-xss>{RAN}</SCRIPT>",
    f"<script data-xss\n>{RAN}</script\n>",
    f"<img data-xss src=x onerror={RAN}>",
    f"<img data-xss/src=x/onerror={RAN}>",
    f'<img data-xss src="x" onerror="{RAN}">',
    f"<svg data-xss onload={RAN}>",
    f"<svg data-xss/onload={RAN}//",
    f"<svg data-xss><script>{RAN}</script></svg>",
    f"<svg data-xss><animate onbegin={RAN} attributeName=x dur=1s>",
    f"<svg data-xss><a xlink:href='javascript:{RAN}'>x</a>",
    f"<body data-xss onload={RAN}>",
    f"<iframe data-xss src='javascript:{RAN}'></iframe>",
    f"<iframe data-xss srcdoc='<script>parent.{RAN}</script>'></iframe>",
    f"<object data-xss data='javascript:{RAN}'></object>",
    f"<embed data-xss src='javascript:{RAN}'>",
    f"<input data-xss autofocus onfocus={RAN}>",
    f"<details data-xss open ontoggle={RAN}>x</details>",
    f"<video data-xss><source onerror={RAN}></video>",
    f"<audio data-xss src=x onerror={RAN}>",
    f"<marquee data-xss onstart={RAN}>x</marquee>",
    f"<select data-xss autofocus onfocus={RAN}></select>",
    f"<a data-xss href='javascript:{RAN}'>x</a>",
    f"<a data-xss href='java\tscript:{RAN}'>x</a>",
    f"<form data-xss action='javascript:{RAN}'><button>x</button></form>",
    f"<math data-xss><mtext><mglyph><style><img src=x onerror={RAN}></style></mglyph></mtext></math>",
    f"<noscript><p title='</noscript><img data-xss src=x onerror={RAN}>'></noscript>",
    f"<style data-xss>@import 'javascript:{RAN}';</style>",
    "<link data-xss rel=stylesheet href='data:text/css,*{}'>",
    f"<meta data-xss http-equiv=refresh content='0;url=javascript:{RAN}'>",
    "<base data-xss href='//127.0.0.1:9/'>",
    f"<template data-xss><script>{RAN}</script></template>",
    f'<div data-xss x-data x-init="{RAN}"></div>',
    f"<div data-xss x-data='{{}}' x-on:load.window='{RAN}'></div>",
    f"<p data-xss x-html=\"'<img src=x onerror={RAN}>'\"></p>",
    f"<custom-element data-xss tabindex=1 onfocus={RAN} autofocus>",
    f"<xss data-xss style='animation-name:x' onanimationstart={RAN}>",
    f"<<script data-xss>{RAN}//<</script>",
    f"<scr<script data-xss>ipt>{RAN}</script>",
    f"<img data-xss src=`x`onerror={RAN}>",
]
BREAKOUTS = [
    f'"><img data-xss src=x onerror={RAN}>',
    f"'><img data-xss src=x onerror={RAN}>",
    f"</textarea><img data-xss src=x onerror={RAN}>",
    f"</title><img data-xss src=x onerror={RAN}>",
    f"</script><img data-xss src=x onerror={RAN}>",
    f"--><img data-xss src=x onerror={RAN}>",
    f"]]><img data-xss src=x onerror={RAN}>",
    f"</style><img data-xss src=x onerror={RAN}>",
    f'" autofocus onfocus={RAN} data-xss="',
    f"' autofocus onfocus={RAN} data-xss='",
    f"';{RAN};//",
    f'";{RAN};//',
    f"`;{RAN};//",
    f"${{{RAN}}}",
    f"{{{{{RAN}}}}}",
    "{{7*7}}",
    "{% debug %}",
    f"\\u003cimg data-xss src=x onerror={RAN}\\u003e",
    f"\\x3cimg data-xss src=x onerror={RAN}\\x3e",
    f"&lt;img data-xss src=x onerror={RAN}&gt;",
    f"&#60;img data-xss src=x onerror={RAN}&#62;",
    f"javascript:{RAN}",
    f"data:text/html,<script>{RAN}</script>",
    f"\u2028{RAN}\u2029",
    f"＜img data-xss src=x onerror={RAN}＞",
    f"<img data-xss src=x onerror={RAN}\u200b>",
    f"__proto__[onload]={RAN}",
]
WORDS = [*ELEMENTS, *BREAKOUTS]

HOOK = """
window.__hits = 0;
window.__ran = () => { window.__hits += 1; };
window.alert = window.__ran;
"""
LOOK = """() => {
  const roots = [document], texts = [], links = [];
  let elements = 0;
  for (const root of roots) {
    elements += root.querySelectorAll('[data-xss]').length;
    for (const one of root.querySelectorAll('*')) {
      if (one.shadowRoot) roots.push(one.shadowRoot);
      if (typeof one.value === 'string') texts.push(one.value);
      for (const name of ['href', 'xlink:href', 'action', 'formaction']) {
        if (one.hasAttribute(name)) links.push(new URL(one.getAttribute(name), document.baseURI).protocol);
      }
      if (one.localName === 'iframe') links.push(new URL(one.src || 'http:', document.baseURI).protocol);
    }
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      if (!walk.currentNode.parentElement?.closest('script, style, template')) texts.push(walk.currentNode.data);
    }
  }
  return {ran: window.__hits, elements, links: [...new Set(links)], text: texts.join(' ')};
}"""
"""Of one frame, its shadow trees with it: what ran, what became an element, where links lead, what is there as text."""
LINKS = {"http:", "https:", "mailto:"}


@dataclass(frozen=True)
class Look:
    ran: int
    elements: int
    links: frozenset[str]
    """Schemes of all links and forms (https://datatracker.ietf.org/doc/html/rfc3986#section-3.1)."""
    words: frozenset[str]
    """Which of READABLE are there as text, each in one line."""

    @property
    def harmless(self) -> bool:
        return self.ran == self.elements == 0 and self.links <= LINKS


def one_line(text: str) -> str:
    return " ".join(text.split())


READABLE = [words for words in WORDS if one_line(words) != RAN]
"""Without the one that is a part of nearly all others."""


async def look(page: Page) -> Look:
    """At the page and all its frames, as they are after a moment in which what would run has run."""
    await page.wait_for_timeout(250)
    seen = [await frame.evaluate(LOOK) for frame in page.frames]
    text = one_line(" ".join(each["text"] for each in seen))
    return Look(
        sum(each["ran"] for each in seen),
        sum(each["elements"] for each in seen),
        frozenset(link for each in seen for link in each["links"]),
        frozenset(words for words in READABLE if one_line(words) in text),
    )
