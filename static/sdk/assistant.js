/**
 * A voice assistant of an installation, as a page uses it: talk, type, stop, mute, end. Owns the visitor's sound, the
 * captions and one session after the other; shows nothing.
 *
 * Emits
 * - `mood` (a Mood): what to tell the visitor about who is doing what
 * - `problem` ({problem: TalkProblem, untilMs?}): what is in the way, and when it goes on by itself; `clear`: nothing is
 * - `begin`: a session begins, below what was said in the one before
 * - `line` (a Line of captions.js) once per finished line; `live` ({visitor, agent}: texts under way)
 * - `muted` (boolean), `detour` (boolean), `quality` ({grade, measures}; grade empty: not known)
 * - `recording` ({state, failed}, see recording.js): whether to ask the visitor, whether the call is being recorded
 * - `event` (a live event of the session, as the websocket sends it)
 *
 * @typedef {'idle'|'starting'|'waiting'|'reconnecting'|'listening'|'muted'|'thinking'|'speaking'|'chat'|'written'|'ended'} Mood
 */

import { Captions } from './captions.js';
import { Emitter } from './emitter.js';
import { FaceTrack } from './face_track.js';
import { TalkProblem, asProblem } from './problems.js';
import { QualityWatch } from './quality_watch.js';
import { Session, canDetour } from './session.js';
import { Sound } from './sound.js';

const STATES = { IDLE: 'listening', LISTENING: 'listening', THINKING: 'thinking', SPEAKING: 'speaking' };

export class Assistant extends Emitter {
  #config;
  #sound = new Sound();
  #captions = new Captions();
  #quality = new QualityWatch();
  #face = new FaceTrack();
  #faceWanted = false;
  /** @type {import('./recording.js').Recording|null} */
  #recording = null;
  #certificate;
  /** @type {Session|null} */
  #session = null;
  #agentState = 'listening';
  #mood = /** @type {Mood} */ ('idle');

  /**
   * @param {{apiBase: string, assistant: string, bearer: string | (() => Promise<string>)}} options
   *   `apiBase`: `https://host/api/v1`. `assistant`: its id or slug. `bearer`: what opens sessions: a publishable key, or a
   *   function that answers an embed token (`embedTokens`). Never a secret key: a page is read by everybody.
   */
  constructor({ apiBase, assistant, bearer }) {
    super();
    this.#config = { apiBase, assistant, bearer: typeof bearer === 'string' ? async () => bearer : bearer };
    this.#captions.on('kept', (line) => this.emit('line', line)).on('live', (texts) => this.emit('live', texts));
    this.#sound.on('track', (track) => this.#session?.replaceTrack(track)).on('problem', (problem) => this.#tell(problem));
    window.addEventListener('pagehide', () => this.hangup());
  }

  /** False where this browser can be written to only. */
  static get canTalk() {
    return Boolean(window.AudioContext && (window.RTCPeerConnection || canDetour()));
  }

  /** What can be done before the click need not be waited for after it (V11). */
  async prepare() {
    if (!window.RTCPeerConnection) return;
    this.#certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
  }

  /** @returns {Mood} */
  get mood() {
    return this.#mood;
  }

  /** A session is under way, or being opened. */
  get busy() {
    return Boolean(this.#session) && this.#session.phase !== 'ended';
  }

  /** Both sides are there. */
  get live() {
    return this.#session?.phase === 'live';
  }

  /** @returns {import('./api.js').Grant|null} of the session under way */
  get grant() {
    return this.busy ? this.#session.grant : null;
  }

  /** Begins a call; must be called from the visitor's own click (autoplay policy). Obstacles arrive as `problem`. */
  async talk() {
    this.#session?.hangup();
    const started = this.#begin('voice').start();
    // Still within the click, but after the call is under way: making an AudioContext may take a quarter of a second.
    this.#sound.unlock();
    await started;
  }

  /**
   * What the visitor typed: answered in sound in a call, else in writing, in a session opened for it.
   * @param {string} text @returns {Promise<TalkProblem|null>} what kept it from being said
   */
  async say(text) {
    this.emit('clear');
    const problem = await this.ready();
    if (problem) return problem;
    const session = this.#session;
    this.#captions.typed(text);
    try {
      const reply = await session.say(text);
      this.emit('clear');
      if (reply) this.#captions.chatReply(reply.turn_id, reply.text);
      return null;
    } catch (error) {
      if (session.phase !== 'ended') this.#tell(asProblem(error));
      return asProblem(error);
    }
  }

  /** A session to write in: the one under way, or a new one. @returns {Promise<TalkProblem|null>} why there is none */
  async ready() {
    if (!this.busy) await this.#begin('chat').start();
    return this.#session.phase === 'ended' ? this.#session.problem ?? new TalkProblem('expired') : null;
  }

  /** Shows a line that was typed and answered on another way than `say`. @param {{turn_id: string, text: string}} reply */
  answered(reply) {
    this.#captions.chatReply(reply.turn_id, reply.text);
  }

  /** Shows a line that will be sent on another way than `say`. @param {string} text */
  typed(text) {
    this.#captions.typed(text);
  }

  /** The visitor has heard enough of this reply. */
  stop() {
    this.#silence();
    this.#session?.stopReply();
  }

  /** @param {boolean} muted silence goes out, the call stays up */
  mute(muted) {
    this.#sound.microphone.mute(muted);
    this.emit('muted', muted);
    this.#tellMood();
  }

  hangup() {
    this.#session?.hangup();
  }

  /** The visitor was asked (`recording`: `ask`) and agrees. */
  async agreeToRecording() {
    await this.#recording?.agree();
  }

  /** The visitor does not agree, or not any more: what was recorded is deleted, also after the call. */
  async refuseRecording() {
    await this.#recording?.refuse();
  }

  /** @returns {{visitor: number, agent: number}} loudness, 0 to 1 */
  levels() {
    return this.#sound.levels();
  }

  /** @param {string} deviceId a microphone */
  async chooseInput(deviceId) {
    await this.#sound.chooseInput(deviceId);
  }

  /** @param {string} deviceId a loudspeaker */
  async chooseOutput(deviceId) {
    await this.#sound.chooseOutput(deviceId);
  }

  /** Frames that nobody looks at need not be sent. @param {boolean} wanted */
  wantFace(wanted) {
    this.#faceWanted = wanted;
    this.#session?.call?.send({ type: 'face', on: wanted });
  }

  /** @param {number} nowMs as requestAnimationFrame gives it @returns {import('./face_track.js').Pose} ARKit shapes, 0 to 1 */
  pose(nowMs) {
    return this.#face.pose(nowMs);
  }

  #begin(channel) {
    const config = { ...this.#config, certificate: this.#certificate, context: () => this.#sound.context };
    const session = new Session(config, channel, this.#sound.microphone);
    this.#session = session;
    this.emit('begin');
    this.#recording?.restart();
    this.#captions.restart();
    session.on('phase', (news) => this.#session === session && this.#phase(news))
      .on('problem', (problem) => this.#tell(problem))
      .on('event', (event) => this.#heard(event))
      .on('stream', (stream) => this.#sound.attach(stream))
      .on('voice', (node) => this.#sound.attachNode(node))
      .on('detour', () => this.emit('detour', true))
      .on('stop', () => this.#silence())
      .on('hold', () => this.#silence())
      .on('resume', () => this.#replyBegins())
      .on('reply', () => this.#replyBegins())
      .on('clock', (tAudioMs) => this.#face.clock(tAudioMs, performance.now()))
      .on('face', (frame) => this.#face.add(frame, performance.now()));
    return session;
  }

  #tell(problem, untilMs) {
    this.emit('problem', { problem, untilMs });
  }

  #phase({ phase, problem, untilMs }) {
    if (problem) this.#tell(problem, untilMs);
    else if (phase !== 'ended') this.emit('clear');
    if (phase === 'live') this.#live();
    else this.#notLive(phase);
    this.#tellMood();
  }

  #live() {
    const { call } = this.#session;
    if (!call) return;
    this.#mayBeRecorded(this.#session.grant);
    this.wantFace(this.#faceWanted);
    this.#sound.measure();
    this.#quality.start(call, (grade, measures) => {
      this.emit('quality', { grade, measures });
      this.#session?.tellQuality(measures);
      if (measures.delayMs) this.#face.playout(measures.delayMs + this.#sound.outputDelayMs);
    });
  }

  /** Few tenants record: the module is fetched where one does. */
  async #mayBeRecorded(grant) {
    if (!grant.recording) return;
    const { Recording } = await import('./recording.js');
    this.#recording ??= new Recording(this.#config.apiBase).on('state', (news) => this.emit('recording', news));
    if (this.grant === grant) this.#recording.live(grant);
  }

  #notLive(phase) {
    this.#quality.stop();
    this.emit('quality', { grade: '' });
    this.#face.restart();
    this.#agentState = 'listening';
    if (phase !== 'ended') return;
    this.emit('detour', false);
    this.#recording?.ended();
    this.#sound.detach();
    this.#captions.settle();
    this.emit('muted', false);
  }

  /** What to show, from the session's phase and, in a live one, from the agent's state. */
  #tellMood() {
    if (!this.#session) return;
    this.#mood = this.#moodNow();
    this.emit('mood', this.#mood);
  }

  #moodNow() {
    const { phase, channel, begun } = this.#session;
    if (phase === 'ended' && !begun) return 'idle';
    if (phase !== 'live') return phase;
    if (channel === 'chat') return this.#agentState === 'listening' ? 'chat' : 'written';
    const listening = this.#agentState === 'listening' && this.#sound.microphone.muted;
    return listening ? 'muted' : this.#agentState;
  }

  #heard(event) {
    if (!this.#captions.apply(event)) return;
    this.emit('event', event);
    if (event.event === 'error') this.#tell(new TalkProblem('server', { text: event.text }));
    if (event.event === 'recording') this.#recording?.told(Boolean(event.on));
    if (event.event === 'state' && event.state in STATES) {
      this.#agentState = STATES[event.state];
      this.#tellMood();
    }
  }

  #replyBegins() {
    this.#sound.resume();
    this.#face.begin();
  }

  /** The server says the reply is over, or held: silence now, whatever the jitter buffer still holds. */
  #silence() {
    this.#sound.silence();
    this.#face.flush();
  }
}
