/**
 * The dialog "Sound and face": which microphone, which loudspeaker, face shown or not.
 *
 * Emits `input` (device id), `output` (device id) and `face` (boolean).
 */

import { Emitter } from '../sdk/emitter.js';
import { devices } from '../sdk/microphone.js';
import { Playback } from '../sdk/playback.js';

export class SoundSettings extends Emitter {
  #dialog;
  #input;
  #output;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} opener the button that opens it
   * @param {{face: boolean}} chosen
   */
  constructor(dialog, opener, chosen) {
    super();
    const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
    this.#dialog = dialog;
    this.#input = part('input');
    this.#output = part('output');
    part('output-field').hidden = !Playback.canChooseOutput;
    part('face').checked = chosen.face;
    part('face').addEventListener('change', ({ target }) => this.emit('face', target.checked));
    this.#input.addEventListener('change', () => this.emit('input', this.#input.value));
    this.#output.addEventListener('change', () => this.emit('output', this.#output.value));
    opener.addEventListener('click', () => this.#open());
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.refresh());
  }

  /** Labels are only known once a microphone was allowed, and devices come and go: read them again. */
  async refresh() {
    fill(this.#input, await devices('audioinput'), 'Microphone');
    fill(this.#output, await devices('audiooutput'), 'Loudspeaker');
  }

  async #open() {
    await this.refresh();
    this.#dialog.showModal();
  }
}

/** Keeps the choice if the device is still there. */
function fill(select, found, word) {
  const chosen = select.value;
  const options = found.map(({ id, label }, i) => new Option(label || `${word} ${i + 1}`, id));
  if (!found.some(({ id }) => id === 'default' || id === '')) options.unshift(new Option(`Default ${word.toLowerCase()}`, ''));
  select.replaceChildren(...options);
  if (found.some(({ id }) => id === chosen)) select.value = chosen;
}
