/**
 * One session with the assistant, spoken or written: from the click to the end, over as many legs as it takes.
 *
 * Emits `phase` ({phase, problem?}), `event` (a live event), `problem` (TalkProblem: something to tell, the session goes
 * on), `detour` (the network lets no call through: the sound goes over a websocket from now on), and what Call and
 * SocketCall emit: `stream` or `voice`, `face`, `reply`, `hold`, `resume`, `stop`, `clock`.
 * Phases: `starting` → `live` ⇄ `reconnecting`; `starting` ⇄ `waiting` (busy, or a place in line); all → `ended`.
 */

import { createSession } from './api.js';
import { backoffMs, sleep } from './backoff.js';
import { Call } from './call.js';
import { Emitter } from './emitter.js';
import { IceServers } from './ice_servers.js';
import { Microphone } from './microphone.js';
import { TalkProblem, asProblem } from './problems.js';
import { Signaling } from './signaling.js';

const RESUME_ATTEMPTS = 10;
const WAITS = 20;
const FORWARDED = ['stream', 'voice', 'face', 'reply', 'hold', 'resume', 'stop', 'clock', 'event'];

/** False in browsers that cannot take sound from a page's own code. */
export const canDetour = () => typeof AudioWorkletNode === 'function' && typeof WebSocket === 'function';

/** Codes that end the session while it tries to come back; everything else is worth another attempt. */
const HOPELESS = new Set(['expired', 'idle', 'limit', 'refused', 'not_live']);

export class Session extends Emitter {
  #config;
  #microphone;
  #channel;
  #scope = new AbortController();
  /** @type {Signaling|null} */
  #signaling = null;
  /** @type {Call|import('./socket_call.js').SocketCall|null} */
  #call = null;
  #detour = !window.RTCPeerConnection;
  #grant = null;
  /** @type {IceServers|null} */
  #iceServers = null;
  #leg = 0;
  #phase = '';
  #begun = false;
  /** Why it ended; null: because somebody hung up. @type {TalkProblem|null} */
  problem = null;

  /**
   * @param {{apiBase: string, bearer: () => Promise<string>, assistant: string, certificate?: RTCCertificate,
   *   context: () => AudioContext}} config `context`: where sound that comes over a websocket is made
   * @param {'voice'|'chat'} channel
   * @param {Microphone} microphone opened for voice only
   */
  constructor(config, channel, microphone) {
    super();
    this.#config = config;
    this.#channel = channel;
    this.#microphone = microphone;
  }

  get phase() {
    return this.#phase;
  }

  /** False while nothing was ever said: a session that ends so has not really been one. */
  get begun() {
    return this.#begun;
  }

  get channel() {
    return this.#channel;
  }

  /** @returns {import('./api.js').Grant|null} */
  get grant() {
    return this.#grant;
  }

  /** The call under way, for its statistics; null in writing and between legs. */
  get call() {
    return this.#phase === 'live' ? this.#call : null;
  }

  /** Returns when the session is live or has ended; obstacles arrive as phases, nothing is thrown. */
  async start() {
    try {
      this.#enter('starting');
      for (let waits = 0; !(await this.#begin(waits < WAITS)); waits += 1);
      this.#enter('live');
    } catch (error) {
      this.#finish(asProblem(error));
    }
  }

  /**
   * What the visitor typed. In a call it is answered in sound, in writing by text.
   * @param {string} text
   * @returns {Promise<{turn_id: string, text: string}|null>} null: the answer comes as live events
   * @throws {TalkProblem}
   */
  async say(text) {
    if (this.#call?.send({ type: 'chat', text })) return null;
    return this.#signaling.chat(text);
  }

  /** The visitor has heard enough of this reply. */
  stopReply() {
    this.#call?.send({ type: 'stop' });
  }

  /** How the line is, for the latency budget; what is not measured (0) is not told. @param {{rttMs: number, delayMs: number}} measures */
  tellQuality({ rttMs, delayMs }) {
    this.#call?.send({ type: 'quality', rtt_ms: rttMs || undefined, buffer_ms: delayMs || undefined });
  }

  hangup() {
    if (this.#phase === 'ended') return;
    this.#call?.send({ type: 'hangup' });
    this.#signaling?.hangup();
    this.#finish();
  }

  /** @param {MediaStreamTrack} track */
  async replaceTrack(track) {
    await this.#call?.replaceTrack(track);
  }

  /** True: begun. False: told to wait, and waited. */
  async #begin(mayWait) {
    try {
      if (this.#channel === 'voice') await this.#prepareVoice();
      else await this.#prepare();
      if (this.#channel === 'voice') await this.#connect();
      return true;
    } catch (error) {
      const problem = asProblem(error);
      // The socket broke while we stood in line: the place is kept for whoever comes back soon.
      const stood = problem.code === 'lost' && this.#phase === 'waiting';
      if (!mayWait || !(problem.retriesByItself || stood) || this.#scope.signal.aborted) throw error;
      await this.#wait(problem);
      return false;
    }
  }

  /** With leave to use the microphone nothing waits for anything: both start at once. Else no session before leave. */
  async #prepareVoice() {
    if (!(await Microphone.granted())) await this.#openMicrophone();
    const opened = this.#openMicrophone();
    const prepared = this.#prepare();
    const [stream] = await Promise.allSettled([opened, prepared]);
    if (stream.status === 'rejected') throw stream.reason;
    await prepared;
  }

  /** The visitor may have hung up while the browser was still asking. */
  async #openMicrophone() {
    const stream = await this.#microphone.open();
    if (!this.#scope.signal.aborted) return stream;
    this.#microphone.close();
    throw this.#scope.signal.reason;
  }

  /** A session that was made is used again: busy is asked of the same one. */
  async #prepare() {
    if (this.#grant) return;
    const { signal } = this.#scope;
    this.#grant = await createSession({ ...this.#config, channel: this.#channel, signal });
    this.#iceServers = new IceServers(this.#config.apiBase, this.#grant);
    signal.throwIfAborted();
    this.#signaling = new Signaling({ url: this.#grant.urls.signaling, token: this.#grant.token });
    this.#signaling
      .on('event', (event) => this.#heard(event))
      .on('queued', (problem) => this.#queued(problem))
      .on('problem', (problem) => this.emit('problem', problem))
      .on('closed', (problem) => this.#socketEnded(problem));
  }

  /** All lines are taken. Before the call that is what there is to see; later it is something to be told beside it. */
  #queued(problem) {
    if (this.#phase === 'starting' || this.#phase === 'waiting') this.#enter('waiting', problem);
    else this.emit('problem', problem);
  }

  async #wait(problem) {
    const ms = 1000 * Math.max(1, problem.retryAfterS);
    this.#enter('waiting', problem, Date.now() + ms);
    await sleep(ms, this.#scope.signal);
    this.#enter('starting');
  }

  /** A new leg: a WebRTC call, or, once the network has shown that it lets none through, one over a websocket. */
  async #connect() {
    if (!this.#detour) {
      try {
        return await this.#dial(await this.#direct());
      } catch (error) {
        if (asProblem(error).code !== 'no_path' || !canDetour()) throw error;
      }
    }
    this.#detour = true;
    this.emit('detour');
    try {
      await this.#dial(await this.#overSocket());
    } catch (error) {
      // Where nothing has ever come through, nothing was lost.
      throw asProblem(error).code === 'lost' && !this.#begun ? new TalkProblem('no_path') : error;
    }
  }

  async #direct() {
    const stream = await this.#microphone.open();
    return new Call({ iceServers: await this.#iceServers.next(this.#scope.signal), certificate: this.#config.certificate, stream });
  }

  /** Few visitors need it: its modules are fetched by those who do. */
  async #overSocket() {
    const { SocketCall } = await import('./socket_call.js');
    const stream = await this.#microphone.open();
    return new SocketCall({ url: this.#grant.urls.audio, token: this.#grant.token, context: this.#config.context(), stream });
  }

  async #dial(call) {
    this.#call?.close();
    this.#call = call;
    for (const name of FORWARDED) {
      call.on(name, (detail) => (name === 'event' ? this.#heard(detail) : this.emit(name, detail)));
    }
    call.on('queued', (problem) => this.#queued(problem)).on('lost', () => this.#resume());
    this.#leg = await call.connect(this.#signaling, this.#scope.signal);
  }

  /** The worker died, drained, or the network changed: offer again on the same session, with growing pauses. */
  async #resume() {
    if (this.#phase !== 'live') return;
    this.#enter('reconnecting');
    try {
      await this.#connectAgain();
      this.#enter('live');
    } catch (error) {
      this.#finish(asProblem(error));
    }
  }

  async #connectAgain() {
    for (let attempt = 0; attempt < RESUME_ATTEMPTS; attempt += 1) {
      await sleep(backoffMs(attempt), this.#scope.signal);
      try {
        return await this.#connect();
      } catch (error) {
        const problem = asProblem(error);
        if (HOPELESS.has(problem.code) || this.#scope.signal.aborted) throw problem;
        await sleep(1000 * problem.retryAfterS, this.#scope.signal);
      }
    }
    throw new TalkProblem('lost');
  }

  /** A call that is up goes on without its socket; only what needs the socket is over. */
  #socketEnded(problem) {
    if (this.#phase === 'live' && this.#channel === 'voice') return;
    this.#finish(problem);
  }

  #heard(event) {
    this.emit('event', event);
    if (event.event === 'ended' && event.leg >= this.#leg) this.#over(event.reason);
  }

  /** After these reasons the session is over; after all others only this leg of it is. */
  #over(reason) {
    if (reason === 'hangup') this.#finish();
    else if (reason === 'idle' || reason === 'limit') this.#finish(new TalkProblem(reason));
    else if (this.#channel === 'voice') this.#resume();
  }

  #enter(phase, problem, untilMs) {
    this.#phase = phase;
    this.#begun ||= phase === 'live';
    this.emit('phase', { phase, problem, untilMs });
  }

  #finish(problem) {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.problem = problem ?? null;
    this.#scope.abort(problem ?? new TalkProblem('expired'));
    this.#call?.close();
    this.#call = null;
    this.#signaling?.close();
    this.#microphone.close();
    this.#enter('ended', problem);
  }
}
