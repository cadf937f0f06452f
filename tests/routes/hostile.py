"""Words that would run, or leave elements behind, wherever text is taken for markup or script. `RAN` marks what ran;
elements carry `data-xss`, so that also markup that does nothing is noticed."""

RAN = "__ran()"
ELEMENTS = [
    f"<script data-xss>{RAN}</script>", f"<SCRIPT data-xss>{RAN}</SCRIPT>", f"<script data-xss\n>{RAN}</script\n>",
    f"<img data-xss src=x onerror={RAN}>", f"<img data-xss/src=x/onerror={RAN}>", f'<img data-xss src="x" onerror="{RAN}">',
    f"<svg data-xss onload={RAN}>", f"<svg data-xss/onload={RAN}//", f"<svg data-xss><script>{RAN}</script></svg>",
    f"<svg data-xss><animate onbegin={RAN} attributeName=x dur=1s>", f"<svg data-xss><a xlink:href='javascript:{RAN}'>x</a>",
    f"<body data-xss onload={RAN}>", f"<iframe data-xss src='javascript:{RAN}'></iframe>",
    f"<iframe data-xss srcdoc='<script>parent.{RAN}</script>'></iframe>", f"<object data-xss data='javascript:{RAN}'></object>",
    f"<embed data-xss src='javascript:{RAN}'>", f"<input data-xss autofocus onfocus={RAN}>",
    f"<details data-xss open ontoggle={RAN}>x</details>", f"<video data-xss><source onerror={RAN}></video>",
    f"<audio data-xss src=x onerror={RAN}>", f"<marquee data-xss onstart={RAN}>x</marquee>",
    f"<select data-xss autofocus onfocus={RAN}></select>", f"<a data-xss href='javascript:{RAN}'>x</a>",
    f"<a data-xss href='java\tscript:{RAN}'>x</a>", f"<form data-xss action='javascript:{RAN}'><button>x</button></form>",
    f"<math data-xss><mtext><mglyph><style><img src=x onerror={RAN}></style></mglyph></mtext></math>",
    f"<noscript><p title='</noscript><img data-xss src=x onerror={RAN}>'></noscript>",
    f"<style data-xss>@import 'javascript:{RAN}';</style>", "<link data-xss rel=stylesheet href='data:text/css,*{}'>",
    f"<meta data-xss http-equiv=refresh content='0;url=javascript:{RAN}'>", "<base data-xss href='//127.0.0.1:9/'>",
    f"<template data-xss><script>{RAN}</script></template>", f"<div data-xss x-data x-init=\"{RAN}\"></div>",
    f"<div data-xss x-data='{{}}' x-on:load.window='{RAN}'></div>", f"<p data-xss x-html=\"'<img src=x onerror={RAN}>'\"></p>",
    f"<custom-element data-xss tabindex=1 onfocus={RAN} autofocus>", f"<xss data-xss style='animation-name:x' onanimationstart={RAN}>",
    f"<<script data-xss>{RAN}//<</script>", f"<scr<script data-xss>ipt>{RAN}</script>", f"<img data-xss src=`x`onerror={RAN}>",
]  # fmt: skip
BREAKOUTS = [
    f'"><img data-xss src=x onerror={RAN}>', f"'><img data-xss src=x onerror={RAN}>", f"</textarea><img data-xss src=x onerror={RAN}>",
    f"</title><img data-xss src=x onerror={RAN}>", f"</script><img data-xss src=x onerror={RAN}>", f"--><img data-xss src=x onerror={RAN}>",
    f"]]><img data-xss src=x onerror={RAN}>", f"</style><img data-xss src=x onerror={RAN}>", f'" autofocus onfocus={RAN} data-xss="',
    f"' autofocus onfocus={RAN} data-xss='", f"';{RAN};//", f'";{RAN};//', f"`;{RAN};//", f"${{{RAN}}}", f"{{{{{RAN}}}}}",
    "{{7*7}}", "{% debug %}", f"\\u003cimg data-xss src=x onerror={RAN}\\u003e", f"\\x3cimg data-xss src=x onerror={RAN}\\x3e",
    f"&lt;img data-xss src=x onerror={RAN}&gt;", f"&#60;img data-xss src=x onerror={RAN}&#62;", f"javascript:{RAN}", f"data:text/html,<script>{RAN}</script>",
    f"\u2028{RAN}\u2029", f"＜img data-xss src=x onerror={RAN}＞", f"<img data-xss src=x onerror={RAN}\u200b>", f"__proto__[onload]={RAN}",
]  # fmt: skip
WORDS = [*ELEMENTS, *BREAKOUTS]
