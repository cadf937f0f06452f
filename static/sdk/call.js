/**
 * One leg of a session: the peer connection to one worker. A lost call is thrown away and a new one made.
 *
 * Emits `stream` (MediaStream of the agent's voice), `face` (a face frame), `lost` (why), and all that Control emits.
 */

import { Control } from './control.js';
import { Emitter } from './emitter.js';
import { TalkProblem } from './problems.js';

/** From the answer on. Where a path can be had it takes a fraction of this; where none can, the visitor waits for it. */
const CONNECT_LIMIT_MS = 4000;
/** ICE may lose its path for a moment (Wi-Fi to mobile) and find it again by itself. */
const DISCONNECTED_GRACE_MS = 1500;
const FORWARDED = ['event', 'reply', 'hold', 'resume', 'stop', 'clock'];

export class Call extends Emitter {
  #pc;
  #control = null;
  #controlChannel;
  #sender;
  #early = [];
  #answered = false;
  #over = false;
  #disconnected = 0;

  /**
   * @param {{iceServers: RTCIceServer[], certificate?: RTCCertificate, stream: MediaStream}} options
   *   `stream`: the microphone
   */
  constructor({ iceServers, certificate, stream }) {
    super();
    const certificates = certificate ? [certificate] : undefined;
    this.#pc = new RTCPeerConnection({ iceServers, certificates, bundlePolicy: 'max-bundle' });
    this.#controlChannel = this.#pc.createDataChannel('control');
    const face = this.#pc.createDataChannel('face', { ordered: false, maxRetransmits: 0 });
    face.onmessage = ({ data }) => this.emit('face', JSON.parse(data));
    this.#sender = this.#pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendrecv', streams: [stream] }).sender;
    this.#pc.ontrack = ({ track, streams }) => this.emit('stream', streams[0] ?? new MediaStream([track]));
  }

  /**
   * Offers, and returns when sound and control can flow.
   * @param {import('./signaling.js').Signaling} signaling
   * @param {AbortSignal} signal
   * @returns {Promise<number>} the leg
   * @throws {TalkProblem} `no_path` when ICE fails, or what the office answered
   */
  async connect(signaling, signal) {
    this.#pc.onicecandidate = ({ candidate }) => this.#trickle(signaling, candidate);
    await this.#pc.setLocalDescription();
    const { sdp, leg } = await signaling.offer(this.#pc.localDescription.sdp);
    signal.throwIfAborted();
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    this.#answered = true;
    for (const candidate of this.#early.splice(0)) signaling.candidate(candidate);
    await this.#connected(signal);
    this.#watch();
    return leg;
  }

  /** @param {object} message @returns {boolean} */
  send(message) {
    return this.#control?.send(message) ?? false;
  }

  /** @param {MediaStreamTrack} track another microphone, no new offer needed */
  async replaceTrack(track) {
    await this.#sender.replaceTrack(track);
  }

  /** @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#pc.getStats();
  }

  close() {
    this.#over = true;
    clearTimeout(this.#disconnected);
    this.#control?.close();
    this.#pc.close();
  }

  /** A candidate is only worth telling once a worker is there to be told. */
  #trickle(signaling, candidate) {
    if (this.#answered) signaling.candidate(candidate);
    else this.#early.push(candidate);
  }

  #connected(signal) {
    let limit;
    const connected = new Promise((resolve, reject) => {
      const fail = () => reject(new TalkProblem('no_path'));
      limit = setTimeout(fail, CONNECT_LIMIT_MS);
      this.#pc.onconnectionstatechange = () => this.#pc.connectionState === 'failed' && fail();
      this.#controlChannel.onopen = () => resolve(this.#adopt());
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return connected.finally(() => clearTimeout(limit));
  }

  /** Listen from the first message on: the greeting's `reply` may follow the channel's opening at once. */
  #adopt() {
    this.#control = new Control(this.#controlChannel);
    for (const name of FORWARDED) this.#control.on(name, (detail) => this.emit(name, detail));
    this.#control.on('lost', (why) => this.#lose(why));
  }

  #watch() {
    this.#pc.onconnectionstatechange = () => this.#pc.connectionState === 'failed' && this.#lose('ice');
    this.#pc.oniceconnectionstatechange = () => {
      clearTimeout(this.#disconnected);
      if (this.#pc.iceConnectionState !== 'disconnected') return;
      this.#disconnected = setTimeout(() => this.#lose('ice'), DISCONNECTED_GRACE_MS);
    };
  }

  #lose(why) {
    if (this.#over) return;
    this.close();
    this.emit('lost', why);
  }
}
