/**
 * One leg of a session where the network lets no UDP through: sound as packets over one websocket, control messages and
 * face frames beside it. To whoever uses it, it is a Call.
 *
 * Emits `queued` (TalkProblem: all lines are taken, with the place in line), `voice` (AudioNode of the agent's voice),
 * `face` (a face frame), `lost` (why), and all that Control emits.
 */

import { Control } from './control.js';
import { Emitter } from './emitter.js';
import { microphonePacket } from './packets.js';
import { PcmCapture } from './pcm_capture.js';
import { PcmPlayer } from './pcm_player.js';
import { TalkProblem, endProblem, serverProblem } from './problems.js';

const PROTOCOL = 'goassist.v1';
const ANSWER_LIMIT_MS = 10000;
/** Two seconds of microphone that the network has not taken: what comes now would be heard too late. */
const BEHIND_BYTES = 64 * 1024;
const FORWARDED = ['event', 'reply', 'resume', 'clock'];
/** After these the sound that is held must not be heard. */
const SILENCING = ['stop', 'hold'];
/** Close codes of a session that is over, and of a page that may not (docs/architecture.md). */
const OVER = new Set([4401, 4404, 4410]);
const REFUSED = 4403;

export class SocketCall extends Emitter {
  #socket;
  #context;
  #stream;
  #channel;
  /** @type {Control|null} */
  #control = null;
  /** @type {PcmPlayer|null} */
  #player = null;
  /** @type {PcmCapture|null} */
  #capture = null;
  #seq = 0;
  #over = false;
  #held = { s: 0, readings: 0 };

  /**
   * @param {{url: string, token: string, context: AudioContext, stream: MediaStream}} options `stream`: the microphone
   */
  constructor({ url, token, context, stream }) {
    super();
    this.#context = context;
    this.#stream = stream;
    this.#socket = new WebSocket(url, [PROTOCOL, token]);
    this.#socket.binaryType = 'arraybuffer';
    this.#channel = channelOf(this.#socket);
  }

  /**
   * Returns when sound and control can flow.
   * @param {unknown} _ the signaling socket, which is not needed
   * @param {AbortSignal} signal
   * @returns {Promise<number>} the leg
   * @throws {TalkProblem} what the office answered, `lost` when the socket cannot be had
   */
  async connect(_, signal) {
    const [leg, player] = await Promise.all([this.#answer(signal), PcmPlayer.open(this.#context)]);
    this.#player = player;
    this.#listen();
    this.#capture = await PcmCapture.open(this.#context, this.#stream, (piece) => this.#speak(piece));
    signal.throwIfAborted();
    this.emit('voice', player.node);
    this.send({ type: 'beat' });
    return leg;
  }

  /** @param {object} message @returns {boolean} */
  send(message) {
    return this.#control?.send(message) ?? false;
  }

  /** @param {MediaStreamTrack} track another microphone */
  async replaceTrack(track) {
    this.#stream = new MediaStream([track]);
    this.#capture?.listen(this.#stream);
  }

  /** @returns {Promise<Map<string, object>>} in the form of an RTCStatsReport; a socket loses nothing, it is late */
  async getStats() {
    const { received, underruns, bufferedMs } = this.#player?.stats ?? { received: 0, underruns: 0, bufferedMs: 0 };
    this.#held = { s: this.#held.s + bufferedMs / 1000, readings: this.#held.readings + 1 };
    return new Map([['voice', {
      type: 'inbound-rtp', kind: 'audio', packetsReceived: received, packetsLost: underruns, jitter: 0,
      jitterBufferDelay: this.#held.s, jitterBufferEmittedCount: this.#held.readings,
    }]]);
  }

  close() {
    this.#over = true;
    this.#control?.close();
    this.#capture?.close();
    this.#player?.close();
    this.#capture = this.#player = null;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(1000);
  }

  #answer(signal) {
    let limit;
    let refusal = null;
    const answered = new Promise((resolve, reject) => {
      limit = setTimeout(() => reject(new TalkProblem('lost')), ANSWER_LIMIT_MS);
      this.#socket.onmessage = ({ data }) => {
        if (typeof data !== 'string') return;
        const message = JSON.parse(data);
        if (message.type === 'answer') resolve(message.leg);
        else if (message.type === 'queued') this.#queued(message, limit);
        else if (message.type === 'error') refusal = message;
      };
      this.#socket.onclose = ({ code, reason }) => reject(problemOf(refusal, code, reason));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return answered.finally(() => clearTimeout(limit));
  }

  /** It takes as long as it takes. */
  #queued({ place }, limit) {
    clearTimeout(limit);
    this.emit('queued', new TalkProblem('queued', { place }));
  }

  #listen() {
    this.#control = new Control(this.#channel);
    for (const name of FORWARDED) this.#control.on(name, (detail) => this.emit(name, detail));
    for (const name of SILENCING) {
      this.#control.on(name, (detail) => {
        this.#player?.flush();
        this.emit(name, detail);
      });
    }
    this.#control.on('lost', (why) => this.#lose(why));
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = () => this.#channel.onclose?.();
  }

  /** Sound goes on without being looked at; text is a face frame or a control message. */
  #receive(data) {
    if (typeof data !== 'string') this.#player?.push(data);
    else if (data.includes('"blendshapes"')) this.emit('face', JSON.parse(data));
    else this.#channel.onmessage?.({ data });
  }

  #speak(piece) {
    const seq = this.#seq;
    this.#seq += 1;
    if (this.#socket.readyState !== WebSocket.OPEN || this.#socket.bufferedAmount > BEHIND_BYTES) return;
    this.#socket.send(microphonePacket(seq, piece));
  }

  #lose(why) {
    if (this.#over) return;
    this.close();
    this.emit('lost', why);
  }
}

/** A websocket as Control knows data channels. */
function channelOf(socket) {
  return {
    get readyState() {
      return socket.readyState === WebSocket.OPEN ? 'open' : 'closed';
    },
    send: (text) => socket.send(text),
    onmessage: null,
    onclose: null,
  };
}

function problemOf(refusal, code, reason) {
  if (refusal) return serverProblem(refusal.code, { text: refusal.text, retryAfterS: refusal.retry_after_s ?? 0 });
  if (OVER.has(code)) return endProblem(reason);
  return new TalkProblem(code === REFUSED ? 'refused' : 'lost', { text: reason });
}
