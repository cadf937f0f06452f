/** `<goassist-widget>`: a button that opens a panel. The machinery of calls is fetched when the visitor reaches for it. */

import { h, icon } from './dom.js';
import { look } from './look.js';
import { textsFor } from './texts.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

export class Widget extends HTMLElement {
  #root;
  #launcher;
  /** @type {import('./conversation.js').Conversation|null} */
  #conversation = null;
  #opening = null;
  /** Another way to an embed token than the page's key: () => Promise<Embed>. */
  embed;

  async connectedCallback() {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [look()];
    this.#dress();
    dark.addEventListener('change', () => this.#dress());
    const texts = await textsFor(this.getAttribute('language') || document.documentElement.lang || navigator.language);
    this.texts = texts;
    this.#launcher = h('button', { class: 'launcher', part: 'launcher', type: 'button', lang: texts.lang, 'aria-expanded': 'false', 'aria-haspopup': 'dialog', onclick: () => this.open(), onpointerenter: () => this.#load() },
      icon('wave'), this.getAttribute('label') || texts.launcher);
    this.#root = h('div', { class: 'root' }, this.#launcher);
    root.append(this.#root);
    if (this.#inline || this.hasAttribute('open')) await this.open(false);
  }

  /** @param {boolean} [focus] the visitor asked for it */
  async open(focus = true) {
    const conversation = await this.#load();
    this.#launcher.hidden = true;
    this.#launcher.setAttribute('aria-expanded', 'true');
    conversation.panel.element.hidden = false;
    conversation.show();
    if (focus) conversation.panel.focus();
    this.dispatchEvent(new CustomEvent('goassist-open', { bubbles: true, composed: true }));
  }

  /** The panel goes; a call goes on. */
  close() {
    if (!this.#conversation || this.#inline) return;
    this.#conversation.panel.element.hidden = true;
    this.#launcher.hidden = false;
    this.#launcher.setAttribute('aria-expanded', 'false');
    this.#launcher.focus();
    this.dispatchEvent(new CustomEvent('goassist-close', { bubbles: true, composed: true }));
  }

  disconnectedCallback() {
    this.#conversation?.end();
  }

  get #inline() {
    return this.getAttribute('position') === 'inline';
  }

  #load() {
    this.#opening ??= this.#make();
    return this.#opening;
  }

  async #make() {
    const { Conversation } = await import('./conversation.js');
    const options = {
      apiBase: new URL('/api/v1', import.meta.url).href, key: this.getAttribute('key') ?? '', assistant: this.getAttribute('assistant') ?? '',
      embed: this.embed, consent: this.getAttribute('consent') ?? '', privacy: this.getAttribute('privacy') ?? '', closable: !this.#inline,
    };
    this.#conversation = new Conversation(this.texts, options);
    this.#conversation.panel.on('close', () => this.close());
    this.#conversation.panel.element.hidden = true;
    this.#root.append(this.#conversation.panel.element);
    return this.#conversation;
  }

  #dress() {
    const theme = this.getAttribute('theme') ?? 'auto';
    this.toggleAttribute('data-dark', theme === 'dark' || (theme === 'auto' && dark.matches));
    const accent = this.getAttribute('accent') ?? '';
    if (!CSS.supports('color', accent)) return;
    this.style.setProperty('--goassist-accent', accent);
    this.style.setProperty('--goassist-on-accent', isLight(accent) ? '#111' : '#fff');
  }
}

// A page may load this more than once, under addresses that differ.
if (!customElements.get('goassist-widget')) customElements.define('goassist-widget', Widget);

/** Whether dark letters are read better on it: relative luminance (WCAG 2.2) above the point where both contrast alike. */
function isLight(color) {
  const context = document.createElement('canvas').getContext('2d');
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179;
}
