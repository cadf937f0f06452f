/** The question whether a call may be recorded, and the sign that it is: words, and buttons for what can be done now. */

const WORDS = {
  ask: 'May this call be recorded?',
  on: 'Recording',
  kept: 'This call was recorded.',
  deleted: 'The recording was deleted.',
  failed: 'That did not work. Please try again.',
  yes: 'Yes, record',
  no: 'No',
  stop: 'Stop and delete',
  drop: 'Delete the recording',
};
/** State → buttons: the word on each, and what it means. */
const BUTTONS = { ask: [['yes', 'agree'], ['no', 'refuse']], on: [['stop', 'refuse']], kept: [['drop', 'refuse']] };

export class RecordingBox {
  #box;
  #assistant;
  #words;

  /**
   * @param {HTMLElement} box empty, with role "group"
   * @param {import('../sdk/assistant.js').Assistant} assistant
   * @param {typeof WORDS} [words]
   */
  constructor(box, assistant, words = WORDS) {
    this.#box = box;
    this.#assistant = assistant;
    this.#words = words;
    const text = document.createElement('p');
    text.setAttribute('role', 'status');
    box.replaceChildren(text, document.createElement('div'));
  }

  /** What the assistant's `recording` says. @param {{state: import('../sdk/recording.js').RecordingState, failed: boolean}} news */
  show({ state, failed }) {
    const [text, buttons] = this.#box.children;
    const hadFocus = this.#box.contains(this.#box.getRootNode().activeElement);
    this.#box.hidden = !state;
    this.#box.dataset.state = state;
    text.textContent = failed ? this.#words.failed : this.#words[state] ?? '';
    buttons.replaceChildren(...(BUTTONS[state] ?? []).map(([word, means]) => this.#button(word, means)));
    if (hadFocus) buttons.firstElementChild?.focus();
  }

  #button(word, means) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button';
    button.textContent = this.#words[word];
    button.addEventListener('click', () => (means === 'agree' ? this.#assistant.agreeToRecording() : this.#assistant.refuseRecording()));
    return button;
  }
}
