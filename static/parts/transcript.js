/**
 * The conversation in writing. Finished lines go into a log that screen readers read politely; what is still being said
 * stands below it and is not announced, for it changes several times a second.
 */

const NEAR_END_PX = 80;
const WORDS = { visitor: 'You', agent: 'Assistant', cut: 'interrupted', divider: 'New conversation' };

export class Transcript {
  #scroller;
  #log;
  #live;
  #empty;
  #words;

  /**
   * @param {ParentNode} root holds `data-part` scroller, log, live-visitor, live-agent and empty
   * @param {typeof WORDS} [words]
   */
  constructor(root, words = WORDS) {
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.#scroller = part('scroller');
    this.#log = part('log');
    this.#live = { visitor: part('live-visitor'), agent: part('live-agent') };
    this.#empty = part('empty');
    this.#words = words;
  }

  /** @param {import('../sdk/captions.js').Line} line */
  keep({ who, text, interrupted, turn }) {
    const last = this.#log.lastElementChild;
    if (turn && last?.dataset.line === `${who} ${turn}`) last.remove();
    const item = document.createElement('p');
    item.className = `line line--${who}`;
    item.dataset.line = `${who} ${turn}`;
    item.append(mark('line__who', this.#words[who]), mark('line__text', text));
    if (interrupted) item.append(mark('line__cut', this.#words.cut));
    this.#following(() => this.#log.append(item));
    this.#empty.hidden = true;
  }

  /** @param {{visitor: string, agent: string}} texts empty: nothing is being said */
  live(texts) {
    this.#following(() => {
      for (const [who, element] of Object.entries(this.#live)) {
        element.hidden = !texts[who];
        element.querySelector('[data-part="text"]').textContent = texts[who];
      }
    });
    if (texts.visitor || texts.agent) this.#empty.hidden = true;
  }

  /** A line between two sessions. */
  divide() {
    if (!this.#log.childElementCount) return;
    const item = document.createElement('p');
    item.className = 'divider';
    item.textContent = this.#words.divider;
    this.#log.append(item);
  }

  /** Stays at the end while the reader is there, and leaves those alone who scrolled up to read. */
  #following(change) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    change();
    if (atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

function mark(className, text) {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = text;
  return span;
}
