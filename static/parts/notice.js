/** The box that says what is in the way and what to do about it, with a countdown where waiting helps. */

import { wordsFor } from '../sdk/problems.js';

const WORDS = {
  problem: wordsFor,
  countdown: 'Next attempt in {seconds} s',
  actions: { talk: 'Try again', retry: 'Try again', type: 'Type instead', cancel: 'Stop waiting' },
};

export class Notice {
  #box;
  #title;
  #advice;
  #countdown;
  #actions;
  #act;
  #words;
  #timer = 0;

  /**
   * @param {HTMLElement} box holds `data-part` title, advice, countdown and actions
   * @param {(action: string) => void} act a button was pressed: talk, type or cancel
   * @param {typeof WORDS} [words] `problem`: a code's title, advice and actions
   */
  constructor(box, act, words = WORDS) {
    const part = (name) => box.querySelector(`[data-part="${name}"]`);
    this.#box = box;
    this.#title = part('title');
    this.#advice = part('advice');
    this.#countdown = part('countdown');
    this.#actions = part('actions');
    this.#act = act;
    this.#words = words;
  }

  /**
   * @param {import('../sdk/problems.js').TalkProblem} problem
   * @param {number} [untilMs] epoch milliseconds at which it goes on by itself
   */
  show(problem, untilMs) {
    const { title, advice, actions } = this.#words.problem(problem.code);
    this.hide();
    this.#title.textContent = title.replace('{place}', problem.place);
    this.#advice.textContent = advice;
    this.#actions.replaceChildren(...actions.map((action) => this.#button(action)));
    this.#box.dataset.code = problem.code;
    this.#box.hidden = false;
    if (untilMs) this.#count(untilMs);
  }

  hide() {
    clearInterval(this.#timer);
    this.#box.hidden = true;
    this.#countdown.hidden = true;
  }

  #count(untilMs) {
    const tick = () => {
      const left = Math.max(0, Math.ceil((untilMs - Date.now()) / 1000));
      this.#countdown.textContent = this.#words.countdown.replace('{seconds}', left);
    };
    tick();
    this.#countdown.hidden = false;
    this.#timer = setInterval(tick, 500);
  }

  #button(action) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button button--quiet';
    button.textContent = this.#words.actions[action];
    button.addEventListener('click', () => this.#act(action));
    return button;
  }
}
