/** The "Embed" page: writes the tag as it is being set, and shows the widget with the same settings. */
import '../widget/element.js';

const page = document.querySelector('[data-embed]');
const tag = JSON.parse(document.getElementById('embed-tag').textContent);
const snippet = page.querySelector('[data-snippet]');
const preview = page.querySelector('[data-preview]');
const fields = [...page.querySelectorAll('select, input')];
const DEFAULTS = { accent: '#0f6558', theme: 'auto' };
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');

function chosen() {
  const set = { key: tag.key, assistant: tag.assistant };
  for (const { name, value } of fields) {
    if (value && value !== DEFAULTS[name]) set[name] = value;
  }
  return set;
}

function write() {
  const set = chosen();
  const attributes = Object.entries(set).map(([name, value]) => ` data-${name}="${escaped(value)}"`).join('\n       ');
  const placed = Object.entries(set).map(([name, value]) => ` ${name}="${escaped(value)}"`).join('');
  snippet.textContent = set.position === 'inline'
    ? `<goassist-widget${placed}></goassist-widget>\n<script type="module" src="${escaped(tag.src)}"></script>`
    : `<script type="module" src="${escaped(tag.src)}"\n       ${attributes}></script>`;
  if (preview) show(set);
}

function show(set) {
  const widget = document.createElement('goassist-widget');
  const shown = { ...set, key: preview.dataset.key, position: 'inline' };
  if (!shown.theme) shown.theme = document.documentElement.classList.contains('dark') ? 'dark' : 'light';
  for (const [name, value] of Object.entries(shown)) widget.setAttribute(name, value);
  preview.replaceChildren(widget);
}

page.addEventListener('change', write);
page.querySelector('[data-copy]').addEventListener('click', async () => {
  await navigator.clipboard.writeText(snippet.textContent);
  page.querySelector('[data-copied]').textContent = 'Copied.';
});
write();
