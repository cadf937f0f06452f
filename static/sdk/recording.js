/**
 * Whether this session is recorded: the visitor is asked once, says so to the server, and may take it back, also when
 * the call is over. What is shown as recorded is what the worker says.
 *
 * Emits `state` ({state, failed}): `failed`: what the visitor wanted could not be done; it can be tried again.
 * @typedef {''|'ask'|'on'|'kept'|'deleted'} RecordingState
 *   nothing to show; a question; recorded now; the call is over and was recorded; what there was is deleted
 */

import { setRecording } from './api.js';
import { Emitter } from './emitter.js';

export class Recording extends Emitter {
  #apiBase;
  /** @type {import('./api.js').Grant|null} */
  #grant = null;
  #state = /** @type {RecordingState} */ ('');
  #asked = false;
  #refusing = false;
  #busy = false;

  /** @param {string} apiBase */
  constructor(apiBase) {
    super();
    this.#apiBase = apiBase;
  }

  /** Another session begins. */
  restart() {
    this.#grant = null;
    this.#asked = this.#refusing = false;
    this.#enter('');
  }

  /** A call is up: where the tenant wishes to record, now is the time to ask, once. @param {import('./api.js').Grant} grant */
  live(grant) {
    this.#grant = grant;
    if (!grant.recording || this.#asked) return;
    this.#asked = true;
    this.#enter('ask');
  }

  /** The worker says whether it records. @param {boolean} on */
  told(on) {
    if (on) this.#enter('on');
    else if (this.#state === 'on') this.#enter(this.#refusing ? 'deleted' : 'kept');
  }

  /** The session is over. */
  ended() {
    if (this.#state === 'on') this.#enter('kept');
    else if (this.#state === 'ask') this.#enter('');
  }

  /** The visitor agrees; `on` follows when the worker has begun. */
  async agree() {
    const done = await this.#say(true);
    if (this.#state === 'ask' && done !== null) this.#enter(done ? '' : 'ask', !done);
  }

  /** The visitor does not, or not any more: what was recorded is deleted. A plain "no" is said and forgotten. */
  async refuse() {
    const asked = this.#state === 'ask';
    if (asked) this.#enter('');
    this.#refusing = true;
    const done = await this.#say(false);
    this.#refusing = false;
    if (!asked && done !== null) this.#enter(done ? 'deleted' : this.#state, !done);
  }

  /** @returns {Promise<boolean|null>} whether it is done; null: nobody waits for it any more */
  async #say(agreed) {
    if (this.#busy || !this.#grant) return null;
    this.#busy = true;
    const grant = this.#grant;
    try {
      await setRecording({ apiBase: this.#apiBase, grant, agreed });
      return grant === this.#grant || null;
    } catch {
      return grant === this.#grant ? false : null;
    } finally {
      this.#busy = false;
    }
  }

  #enter(state, failed = false) {
    if (state === this.#state && !failed) return;
    this.#state = state;
    this.emit('state', { state, failed });
  }
}
