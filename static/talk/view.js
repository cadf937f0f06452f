/**
 * The stage of the page: who is doing what (in words and in shape), the buttons, the meter, the connection's quality.
 *
 * Emits `talk`, `mute` (boolean), `stop`, `end` and `say` (text).
 */

import { showButtons } from '../parts/buttons.js';
import { Emitter } from '../sdk/emitter.js';

/** What the visitor reads for each mood, and the hint below it. The shape beside it is chosen by CSS from the mood. */
const MOODS = {
  idle: ['Ready when you are', 'Press Talk and speak, or type below.'],
  starting: ['Connecting…', 'Your browser may ask for the microphone.'],
  waiting: ['Waiting for a free line', ''],
  reconnecting: ['Reconnecting…', 'Your conversation is kept.'],
  listening: ['Listening', 'Speak whenever you like.'],
  muted: ['You are muted', 'Press Unmute to be heard.'],
  thinking: ['Thinking…', ''],
  speaking: ['Speaking', 'Just talk to interrupt.'],
  written: ['Writing', 'The answer appears below.'],
  chat: ['Conversation in writing', 'Press Talk to speak instead.'],
  ended: ['Conversation ended', 'Press Talk to start again.'],
};
const QUALITY = { good: 'Good connection', fair: 'Fair connection', poor: 'Poor connection' };
const DETOUR = 'Your network blocks direct calls: the sound takes a detour and may come a moment later.';
const METER_WORDS_MS = 500;

export class View extends Emitter {
  #root;
  #parts;
  #mood = 'idle';
  #meterSaidAt = 0;

  /** @param {HTMLElement} root */
  constructor(root) {
    super();
    this.#root = root;
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.#parts = Object.fromEntries(
      ['state', 'hint', 'meter', 'quality', 'quality-words', 'detour', 'talk', 'mute', 'stop', 'end', 'composer', 'message', 'presence']
        .map((name) => [name, part(name)]),
    );
    this.#listen();
    this.mood('idle');
  }

  /** @param {string} mood a key of MOODS */
  mood(mood) {
    const [words, hint] = MOODS[mood];
    const hadFocus = this.#parts.talk === document.activeElement || this.#parts.end === document.activeElement;
    this.#mood = mood;
    this.#root.dataset.mood = mood;
    this.#parts.state.textContent = words;
    this.#parts.hint.textContent = hint;
    showButtons(this.#parts, mood);
    if (hadFocus) this.#parts[this.#parts.talk.hidden ? 'end' : 'talk'].focus();
  }

  get muted() {
    return this.#parts.mute.getAttribute('aria-pressed') === 'true';
  }

  /** @param {boolean} muted */
  muteShown(muted) {
    this.#parts.mute.setAttribute('aria-pressed', String(muted));
    this.#parts.mute.querySelector('[data-part="mute-words"]').textContent = muted ? 'Unmute' : 'Mute';
  }

  /** @param {number} visitor @param {number} agent levels 0 to 1, once per animation frame */
  levels(visitor, agent) {
    const { meter, presence } = this.#parts;
    meter.style.setProperty('--level', visitor.toFixed(3));
    presence.style.setProperty('--level', (this.#mood === 'speaking' ? agent : visitor).toFixed(3));
    const now = performance.now();
    if (now - this.#meterSaidAt < METER_WORDS_MS) return;
    this.#meterSaidAt = now;
    meter.setAttribute('aria-valuenow', String(Math.round(100 * visitor)));
  }

  /** @param {'good'|'fair'|'poor'|''} grade @param {import('../sdk/quality.js').Measures} [measures] */
  quality(grade, measures) {
    const { quality } = this.#parts;
    quality.hidden = !grade;
    if (!grade) return;
    quality.dataset.grade = grade;
    const { rttMs, lossPercent, jitterMs } = measures;
    const roundTrip = rttMs ? `${Math.round(rttMs)} ms round trip, ` : '';
    const numbers = `${roundTrip}${lossPercent.toFixed(1)} % lost, ${Math.round(jitterMs)} ms jitter`;
    this.#parts['quality-words'].textContent = QUALITY[grade];
    quality.title = numbers;
  }

  /** @param {boolean} shown the sound takes the way over the websocket */
  detour(shown) {
    this.#parts.detour.textContent = shown ? DETOUR : '';
    this.#parts.detour.hidden = !shown;
  }

  /** Puts the cursor where typing begins. */
  invite() {
    this.#parts.message.focus();
  }

  /** Only writing works in this browser. */
  withoutVoice() {
    this.#parts.talk.disabled = true;
  }

  #listen() {
    const { talk, mute, stop, end, composer, message } = this.#parts;
    talk.addEventListener('click', () => this.emit('talk'));
    mute.addEventListener('click', () => this.emit('mute', !this.muted));
    stop.addEventListener('click', () => this.#stop());
    end.addEventListener('click', () => this.emit('end'));
    this.#root.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#stop());
    composer.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = message.value.trim();
      if (!text) return;
      message.value = '';
      this.emit('say', text);
    });
  }

  #stop() {
    if (this.#parts.stop.getAttribute('aria-disabled') === 'false' && !this.#parts.stop.hidden) this.emit('stop');
  }
}
