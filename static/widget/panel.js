/** The widget's panel: parts and what they show. Emits `talk`, `mute` (boolean), `stop`, `end`, `say` (text), `close`. */

import { mayStop, showButtons } from '../parts/buttons.js';
import { Emitter } from '../sdk/emitter.js';
import { h, icon } from './dom.js';

export class Panel extends Emitter {
  /** @type {Record<string, HTMLElement>} */
  #parts;
  #texts;
  #mood = 'idle';
  element;

  /**
   * @param {typeof import('./texts/en.js').default} texts
   * @param {{consent: string, privacy: string, canTalk: boolean, closable: boolean}} options
   */
  constructor(texts, options) {
    super();
    this.#texts = texts;
    this.element = this.#build(texts, options);
    this.#parts = Object.fromEntries([...this.element.querySelectorAll('[data-part]')].map((part) => [part.dataset.part, part]));
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && this.#escape(event));
    this.mood('idle');
  }

  /** @param {string} name of the assistant */
  title(name) {
    this.#parts.name.textContent = name;
  }

  /** @param {import('../sdk/assistant.js').Mood} mood */
  mood(mood) {
    const hadFocus = this.element.getRootNode().activeElement;
    this.#mood = mood;
    this.#parts.state.textContent = this.#texts.moods[mood];
    showButtons(this.#parts, mood);
    this.#parts.talk.hidden ||= this.#parts.talk.hasAttribute('data-never');
    if (hadFocus?.hidden) this.focus();
  }

  /** @param {boolean} muted */
  muted(muted) {
    this.#parts.mute.setAttribute('aria-pressed', String(muted));
  }

  /** @param {number} level 0 to 1 */
  level(level) {
    this.#parts.orb.style.setProperty('--level', level.toFixed(2));
  }

  /** Puts the cursor where typing begins. */
  invite() {
    this.#parts.message.focus();
  }

  focus() {
    const { talk, end, message } = this.#parts;
    (!talk.hidden ? talk : !end.hidden ? end : message).focus();
  }

  /** Stops a reply that is heard, else closes the panel. */
  #escape(event) {
    event.stopPropagation();
    this.emit(mayStop(this.#mood) ? 'stop' : 'close');
  }

  #send(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (this.#parts.message);
    const text = field.value.trim();
    field.value = '';
    if (text) this.emit('say', text);
  }

  #build(texts, { consent, privacy, canTalk, closable }) {
    const muted = () => this.#parts.mute.getAttribute('aria-pressed') === 'true';
    return h('section', { class: 'panel', part: 'panel', role: 'dialog', 'aria-labelledby': 'name', lang: texts.lang },
      h('header', {},
        h('span', { class: 'orb', 'data-part': 'orb', 'aria-hidden': 'true' }, icon('wave')),
        h('div', {}, h('h2', { id: 'name', 'data-part': 'name' }, texts.title), h('p', { class: 'state', role: 'status', 'data-part': 'state' })),
        h('button', { class: 'round', type: 'button', hidden: !closable, 'aria-label': texts.close, onclick: () => this.emit('close') }, icon('close'))),
      notice(),
      transcript(texts),
      h('div', { class: 'controls', role: 'group', 'aria-label': texts.controls },
        h('button', { class: 'button button--talk', type: 'button', 'data-part': 'talk', 'data-never': !canTalk, onclick: () => this.emit('talk') }, icon('mic'), texts.talk),
        h('button', { class: 'button', type: 'button', 'data-part': 'mute', 'aria-pressed': 'false', onclick: () => this.emit('mute', !muted()) }, texts.mute),
        h('button', { class: 'button', type: 'button', 'data-part': 'stop', 'aria-keyshortcuts': 'Escape', onclick: () => mayStop(this.#mood) && this.emit('stop') }, texts.stop),
        h('button', { class: 'button', type: 'button', 'data-part': 'end', onclick: () => this.emit('end') }, texts.end)),
      h('div', { class: 'recording', 'data-part': 'recording', role: 'group', hidden: true }),
      h('form', { onsubmit: (event) => this.#send(event), autocomplete: 'off' },
        h('input', { 'data-part': 'message', type: 'text', maxlength: '2000', 'aria-label': texts.message, placeholder: texts.placeholder, enterkeyhint: 'send' }),
        h('button', { class: 'round round--solid', type: 'submit', 'aria-label': texts.send }, icon('send'))),
      h('p', { class: 'small' }, consent || texts.consent, ...privacyLink(privacy, texts)));
  }
}

function notice() {
  return h('div', { class: 'notice', 'data-part': 'notice', role: 'alert', hidden: true },
    h('p', { class: 'notice__title', 'data-part': 'title' }), h('p', { 'data-part': 'advice' }),
    h('p', { 'data-part': 'countdown', 'aria-live': 'off', hidden: true }), h('div', { class: 'notice__actions', 'data-part': 'actions' }));
}

function transcript(texts) {
  const live = (who) => h('p', { class: `line line--${who}`, 'data-part': `live-${who}`, hidden: true },
    h('span', { class: 'line__who' }, texts.transcript[who]), h('span', { 'data-part': 'text' }));
  return h('div', { class: 'scroller', 'data-part': 'scroller', tabindex: '0', role: 'region', 'aria-label': texts.transcript.label },
    h('p', { class: 'empty', 'data-part': 'empty' }, texts.empty),
    h('div', { class: 'lines', 'data-part': 'log', role: 'log', 'aria-live': 'polite', 'aria-relevant': 'additions' }),
    h('div', { class: 'lines lines--live', 'aria-live': 'off' }, live('visitor'), live('agent')));
}

/** Only web addresses: what stands in an attribute may come from elsewhere. */
function privacyLink(address, texts) {
  if (!/^https?:\/\//.test(address)) return [];
  return [' ', h('a', { href: address, target: '_blank', rel: 'noopener' }, texts.privacy)];
}
