/**
 * What was typed without a connection, kept in IndexedDB and sent on return, once.
 *
 * Once, because a message carries its own id as `Idempotency-Key` and stays with the session it was first sent to: sent
 * again after a broken connection it is answered again, not said again. Where that session is over before it is known
 * whether the message arrived, it is not sent by itself any more: the visitor decides.
 *
 * Emits `sending` (a Letter, once), `answered` ({letter, reply}) and `unsure` (a Letter that may have arrived or not).
 *
 * @typedef {{id: string, at: number, text: string, grant: import('./api.js').Grant|null, unsure: boolean}} Letter
 *   `grant`: of the session it was sent to. `unsure`: sent, and no answer came.
 */

import { Emitter } from './emitter.js';
import { asProblem } from './problems.js';

const STORE = 'letters';
/** Of the session it was sent to: it takes nothing any more. */
const GONE = new Set(['refused', 'not_live', 'expired', 'idle', 'limit']);
/** The server never answered: nobody knows. */
const UNKNOWN = new Set(['offline', 'lost', 'server']);

export class Outbox extends Emitter {
  #name;
  /** @type {Promise<IDBDatabase>|null} */
  #database = null;

  /** Browsers lend locks and ids to secure pages only. */
  static get possible() {
    return window.isSecureContext && 'indexedDB' in window && 'locks' in navigator;
  }

  /** @param {string} name of the box: an assistant's id */
  constructor(name) {
    super();
    this.#name = `goassist.outbox.${name}`;
  }

  /** @param {string} text @returns {Promise<Letter>} @throws {DOMException} where the browser keeps nothing */
  async put(text) {
    const letter = { id: crypto.randomUUID(), at: Date.now(), text, grant: null, unsure: false };
    await this.#keep(letter);
    return letter;
  }

  /** @returns {Promise<Letter[]>} the oldest first */
  async waiting() {
    const letters = await this.#do('readonly', (store) => store.getAll());
    return letters.sort((a, b) => a.at - b.at);
  }

  /** @param {string} id */
  async remove(id) {
    await this.#do('readwrite', (store) => store.delete(id));
  }

  /**
   * Sends what waits, one after the other; only one tab does at a time.
   * @param {() => Promise<import('./api.js').Grant|null>} open a session; null: none to be had now
   * @param {(letter: Letter) => Promise<{turn_id: string, reply: string}>} send throws TalkProblem
   * @returns {Promise<void>} when all is sent, or as soon as one cannot be now
   */
  async flush(open, send) {
    await navigator.locks.request(this.#name, { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      for (const letter of await this.waiting()) {
        if (!(await this.#deliver(letter, open, send))) return;
      }
    });
  }

  /** @returns {Promise<boolean>} false: no use to go on now */
  async #deliver(letter, open, send) {
    for (let tries = 0; tries < 2; tries += 1) {
      if (!letter.grant) {
        letter.grant = await open();
        if (!letter.grant) return false;
      }
      const outcome = await this.#attempt(letter, send);
      if (outcome !== 'again') return outcome === 'done';
    }
    return false;
  }

  async #attempt(letter, send) {
    const before = letter.unsure;
    letter.unsure = true;
    await this.#keep(letter);
    this.emit('sending', letter);
    try {
      const reply = await send(letter);
      await this.remove(letter.id);
      this.emit('answered', { letter, reply });
      return 'done';
    } catch (error) {
      return this.#failed(letter, before, asProblem(error).code);
    }
  }

  async #failed(letter, before, code) {
    if (GONE.has(code) && before) {
      await this.remove(letter.id);
      this.emit('unsure', letter);
      return 'done';
    }
    letter.unsure = before || UNKNOWN.has(code);
    if (GONE.has(code)) letter.grant = null;
    await this.#keep(letter);
    return GONE.has(code) ? 'again' : 'later';
  }

  async #keep(letter) {
    await this.#do('readwrite', (store) => store.put(letter));
  }

  async #do(mode, work) {
    this.#database ??= opened(this.#name);
    const store = (await this.#database).transaction(STORE, mode).objectStore(STORE);
    return settled(work(store));
  }
}

function opened(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
  return settled(request);
}

/** @param {IDBRequest} request */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
