/**
 * The data channel `control`: our heartbeat, the worker's, and its messages (docs/architecture.md, "Control data channel").
 *
 * Emits `event` (a live event), `reply` ({reply, t_audio_ms}), `hold` and `resume` ({reply}: somebody seems to speak over
 * it; it goes on), `stop` ({reply}), `clock` (t_audio_ms) and `lost` (why).
 */

import { Emitter } from './emitter.js';

const BEAT_MS = 1000;
const BEAT_LOST_MS = 3000;
const OF_REPLIES = new Set(['reply', 'hold', 'resume', 'stop']);

export class Control extends Emitter {
  #channel;
  #now;
  #heardMs;
  #tickMs;
  #timer;

  /**
   * @param {RTCDataChannel} channel open
   * @param {() => number} [now] monotonic milliseconds
   */
  constructor(channel, now = () => performance.now()) {
    super();
    this.#channel = channel;
    this.#now = now;
    this.#heardMs = this.#tickMs = now();
    channel.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    channel.onclose = () => this.#lose('channel');
    this.#timer = setInterval(() => this.tick(), BEAT_MS);
  }

  /**
   * @param {object} message
   * @returns {boolean} false: the channel is not open, nothing was sent
   */
  send(message) {
    if (this.#channel.readyState !== 'open') return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** Once a second: say that we are here, and notice when the other side no longer is. */
  tick() {
    const now = this.#now();
    const slept = now - this.#tickMs > 2 * BEAT_MS;
    this.#tickMs = now;
    this.send({ type: 'beat' });
    // After the device slept, beats wait in the queue behind this timer: they get one more second to be heard.
    if (!slept && now - this.#heardMs > BEAT_LOST_MS) this.#lose('beat');
  }

  close() {
    clearInterval(this.#timer);
    this.#channel.onmessage = this.#channel.onclose = null;
  }

  #receive(message) {
    this.#heardMs = this.#now();
    if (typeof message.t_audio_ms === 'number' && message.type) this.emit('clock', message.t_audio_ms);
    if ('event' in message) this.emit('event', message);
    else if (message.type === 'moved') this.#lose('moved');
    else if (OF_REPLIES.has(message.type)) this.emit(message.type, message);
  }

  #lose(why) {
    this.close();
    this.emit('lost', why);
  }
}
