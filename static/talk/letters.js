/** Typed words on their way: said at once where there is a connection, else shown as waiting and sent on return. */

import { sendMessage } from '../sdk/api.js';
import { Outbox } from '../sdk/outbox.js';

const WAITING = 'Will be sent as soon as you are back online.';
const UNSURE = 'The connection broke: this may not have arrived.';

export class Letters {
  #list;
  #assistant;
  #apiBase;
  #outbox;
  #shown = new Map();

  /**
   * @param {HTMLElement} list
   * @param {import('../sdk/assistant.js').Assistant} assistant
   * @param {{apiBase: string, assistant: string}} config
   */
  constructor(list, assistant, config) {
    this.#list = list;
    this.#assistant = assistant;
    this.#apiBase = config.apiBase;
    this.#outbox = new Outbox(config.assistant);
    this.#outbox.on('sending', (letter) => this.#sending(letter))
      .on('answered', ({ letter, reply }) => this.#answered(letter, reply))
      .on('unsure', (letter) => this.#show(letter, UNSURE, true));
    window.addEventListener('online', () => this.#flush());
    if (Outbox.possible) this.#restore();
  }

  /** @param {string} text */
  async say(text) {
    if (navigator.onLine || this.#assistant.live || !Outbox.possible) {
      const problem = await this.#assistant.say(text);
      if (problem?.code !== 'offline' || !Outbox.possible) return;
    }
    this.#show(await this.#outbox.put(text), WAITING, false);
  }

  async #restore() {
    const waiting = await this.#outbox.waiting().catch(() => []); // a browser that keeps nothing has kept nothing
    for (const letter of waiting) this.#show(letter, WAITING, false);
    if (waiting.length && navigator.onLine) this.#flush();
  }

  #flush() {
    return this.#outbox.flush(
      async () => ((await this.#assistant.ready()) ? null : this.#assistant.grant),
      ({ grant, id, text }) => sendMessage({ apiBase: this.#apiBase, grant, id, text }),
    );
  }

  #sending(letter) {
    if (!this.#shown.has(letter.id)) return;
    this.#hide(letter.id);
    this.#assistant.typed(letter.text);
  }

  #answered(letter, { turn_id, reply }) {
    this.#hide(letter.id);
    this.#assistant.answered({ turn_id, text: reply });
  }

  #show(letter, words, mayAgain) {
    this.#hide(letter.id);
    const item = document.createElement('li');
    item.className = 'letter';
    const [text, state] = [document.createElement('p'), document.createElement('p')];
    text.className = 'letter__text';
    text.textContent = letter.text;
    state.className = 'letter__state';
    state.textContent = words;
    item.append(text, state, ...(mayAgain ? [this.#button('Send again', () => this.#again(letter))] : []));
    item.append(this.#button('Discard', () => this.#discard(letter)));
    this.#shown.set(letter.id, item);
    this.#list.append(item);
    this.#list.hidden = false;
  }

  #button(words, act) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button--quiet';
    button.textContent = words;
    button.addEventListener('click', act);
    return button;
  }

  async #again(letter) {
    this.#hide(letter.id);
    await this.say(letter.text);
  }

  async #discard(letter) {
    await this.#outbox.remove(letter.id);
    this.#hide(letter.id);
  }

  #hide(id) {
    this.#shown.get(id)?.remove();
    this.#shown.delete(id);
    this.#list.hidden = this.#shown.size === 0;
  }
}
