/**
 * The conversation in writing. Finished lines go into a log that screen readers read politely; what is still being said
 * stands below it and is not announced, for it changes several times a second.
 */

const NEAR_END_PX = 80;

export class Transcript {
  #scroller;
  #log;
  #live;
  #empty;

  /** @param {HTMLElement} root holds `data-part` scroller, log, live-visitor, live-agent and empty */
  constructor(root) {
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.#scroller = part('scroller');
    this.#log = part('log');
    this.#live = { visitor: part('live-visitor'), agent: part('live-agent') };
    this.#empty = part('empty');
  }

  /** @param {import('../sdk/captions.js').Line} line */
  keep({ who, text, interrupted, turn }) {
    const last = this.#log.lastElementChild;
    if (turn && last?.dataset.line === `${who} ${turn}`) last.remove();
    const item = document.createElement('p');
    item.className = `line line--${who}`;
    item.dataset.line = `${who} ${turn}`;
    item.append(speakerOf(who), textOf(text));
    if (interrupted) item.append(cutMark());
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
    item.textContent = 'New conversation';
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

function speakerOf(who) {
  const name = document.createElement('span');
  name.className = 'line__who';
  name.textContent = who === 'visitor' ? 'You' : 'Assistant';
  return name;
}

function textOf(text) {
  const words = document.createElement('span');
  words.className = 'line__text';
  words.textContent = text;
  return words;
}

function cutMark() {
  const mark = document.createElement('span');
  mark.className = 'line__cut';
  mark.textContent = 'interrupted';
  return mark;
}
