/**
 * The widget: an assistant on any page, with one tag (docs/widget.md).
 *
 *     <script type="module" src="https://voice.example.com/static/widget.js" data-key="pk_…" data-assistant="reception"></script>
 *
 * Or placed by hand: `<goassist-widget key="pk_…" assistant="reception"></goassist-widget>`.
 */

import './widget/element.js';

/** What may stand on the tag as `data-…`, and on the element as attribute. */
const OPTIONS = ['key', 'assistant', 'position', 'language', 'theme', 'accent', 'label', 'consent', 'privacy', 'open'];

/** Each tag that names this module makes one widget; a module runs once, however many tags there are. */
function place() {
  for (const script of document.querySelectorAll('script[data-key][data-assistant]')) {
    if (script.src.split('?')[0] !== import.meta.url.split('?')[0] || script.dataset.placed !== undefined) continue;
    script.dataset.placed = '';
    const widget = document.createElement('goassist-widget');
    for (const name of OPTIONS) {
      if (script.dataset[name] !== undefined) widget.setAttribute(name, script.dataset[name]);
    }
    document.body.append(widget);
  }
}

if (document.body) place();
else document.addEventListener('DOMContentLoaded', place, { once: true });
