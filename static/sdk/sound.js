/**
 * Both directions of a call's sound, with their levels: the visitor's microphone and the agent's voice.
 *
 * Emits `track` (MediaStreamTrack: another microphone from now on) and `problem` (TalkProblem).
 */

import { Emitter } from './emitter.js';
import { Level } from './level.js';
import { Microphone } from './microphone.js';
import { Playback } from './playback.js';
import { TalkProblem, asProblem } from './problems.js';

export class Sound extends Emitter {
  microphone = new Microphone();
  #playback = new Playback();
  /** @type {Level|null} */
  #visitor = null;
  /** @type {Level|null} */
  #agent = null;

  constructor() {
    super();
    this.microphone.on('changed', (track) => this.#changed(track)).on('lost', () => this.#lost());
  }

  /** Must be called from the visitor's own click (autoplay policy). */
  unlock() {
    this.#playback.unlock();
  }

  /** The call is up: measure what goes out. */
  measure() {
    this.#visitor ??= Level.of(this.#playback.context, this.microphone.stream);
  }

  /** @param {MediaStream} stream the agent's voice */
  attach(stream) {
    this.#playback.attach(stream);
    this.#agent ??= new Level(this.#playback.analyser);
  }

  /** @param {AudioNode} node the agent's voice, where it comes over a websocket */
  attachNode(node) {
    this.#playback.attachNode(node);
    this.#agent ??= new Level(this.#playback.analyser);
  }

  /** @returns {AudioContext|null} where sound is made; null before `unlock` */
  get context() {
    return this.#playback.context;
  }

  /** The session is over. */
  detach() {
    this.#playback.detach();
    this.#visitor?.close();
    this.#visitor = null;
  }

  /** The agent is not heard from now on, whatever the jitter buffer still holds. */
  silence() {
    this.#playback.mute();
  }

  resume() {
    this.#playback.unmute();
  }

  /** @returns {number} milliseconds between the page's sound and the loudspeaker */
  get outputDelayMs() {
    return this.#playback.outputDelayMs;
  }

  /** @returns {{visitor: number, agent: number}} 0 to 1 */
  levels() {
    return { visitor: this.#visitor?.read() ?? 0, agent: this.#agent?.read() ?? 0 };
  }

  /** @param {string} deviceId */
  async chooseInput(deviceId) {
    await this.microphone.choose(deviceId).catch((error) => this.emit('problem', asProblem(error)));
  }

  /** @param {string} deviceId one that is gone or not allowed leaves the output as it was */
  async chooseOutput(deviceId) {
    await this.#playback.chooseOutput(deviceId).catch(() => this.#playback.chooseOutput(''));
  }

  #changed(track) {
    this.#visitor?.close();
    this.#visitor = Level.of(this.#playback.context, this.microphone.stream);
    this.emit('track', track);
  }

  /** The device went away: the default one may still be there. */
  async #lost() {
    await this.microphone.choose('').catch(() => this.emit('problem', new TalkProblem('microphone_lost')));
  }
}
