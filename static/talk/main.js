/** Composition root of the talk page: builds the parts and wires what they tell to who must know. Holds no logic of theirs. */

import { Captions } from './captions.js';
import { Face } from './face.js';
import { Notice } from './notice.js';
import { preference, prefer } from './preferences.js';
import { TalkProblem, asProblem } from './problems.js';
import { QualityWatch } from './quality_watch.js';
import { Session } from './session.js';
import { SocketCall } from './socket_call.js';
import { Sound } from './sound.js';
import { SoundSettings } from './sound_settings.js';
import { Transcript } from './transcript.js';
import { View } from './view.js';

const STATES = { IDLE: 'listening', LISTENING: 'listening', THINKING: 'thinking', SPEAKING: 'speaking' };
const lessMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;

class TalkPage {
  #root = document.getElementById('talk');
  #view = new View(this.#root);
  #notice = new Notice(this.#root.querySelector('[data-part="notice"]'), (action) => this.#act(action));
  #transcript = new Transcript(this.#root);
  #captions = new Captions();
  #sound = new Sound();
  #quality = new QualityWatch();
  #face = new Face(this.#root.querySelector('[data-part="face"]'), lessMotion);
  #settings;
  #config = configOf(JSON.parse(document.getElementById('page').textContent));
  #certificate;
  /** @type {Session|null} */
  #session = null;
  #agentState = 'listening';

  constructor() {
    const face = preference('face', lessMotion ? 'off' : 'on') === 'on';
    this.#settings = new SoundSettings(document.getElementById('sound-settings'), document.getElementById('open-settings'), { face });
    this.#showFace(face);
    this.#wire();
    this.#prepare();
    requestAnimationFrame((now) => this.#frame(now));
  }

  #wire() {
    this.#view.on('talk', () => this.#talk()).on('end', () => this.#session?.hangup()).on('stop', () => this.#stop())
      .on('mute', (muted) => this.#mute(muted)).on('say', (text) => this.#say(text));
    this.#captions.on('kept', (line) => this.#transcript.keep(line)).on('live', (texts) => this.#transcript.live(texts));
    this.#settings.on('input', (id) => this.#sound.chooseInput(id)).on('output', (id) => this.#sound.chooseOutput(id))
      .on('face', (shown) => this.#chooseFace(shown));
    this.#sound.on('track', (track) => this.#session?.replaceTrack(track)).on('problem', (problem) => this.#notice.show(problem));
    window.addEventListener('pagehide', () => this.#session?.hangup());
  }

  /** What can be done before the click need not be waited for after it (V11). */
  async #prepare() {
    if (!window.AudioContext || !(window.RTCPeerConnection || SocketCall.possible)) return this.#view.withoutVoice();
    if (!window.isSecureContext) return this.#notice.show(new TalkProblem('insecure_origin'));
    if (!window.RTCPeerConnection) return;
    this.#certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' });
  }

  async #talk() {
    this.#session?.hangup();
    const started = this.#begin('voice').start();
    // Still within the click, but after the call is under way: making an AudioContext may take a quarter of a second.
    this.#sound.unlock();
    await started;
  }

  #begin(channel) {
    const config = { ...this.#config, certificate: this.#certificate, context: () => this.#sound.context };
    const session = new Session(config, channel, this.#sound.microphone);
    this.#session = session;
    this.#transcript.divide();
    this.#captions.restart();
    session.on('phase', (news) => this.#session === session && this.#phase(news))
      .on('problem', (problem) => this.#notice.show(problem))
      .on('event', (event) => this.#heard(event))
      .on('stream', (stream) => this.#sound.attach(stream))
      .on('voice', (node) => this.#sound.attachNode(node))
      .on('detour', () => this.#view.detour(true))
      .on('stop', () => this.#silence())
      .on('hold', () => this.#silence())
      .on('resume', () => this.#replyBegins())
      .on('reply', () => this.#replyBegins())
      .on('clock', (tAudioMs) => this.#face.clock(tAudioMs))
      .on('face', (frame) => this.#face.add(frame));
    return session;
  }

  #phase({ phase, problem, untilMs }) {
    if (problem) this.#notice.show(problem, untilMs);
    else if (phase !== 'ended') this.#notice.hide();
    if (phase === 'live') this.#live();
    else this.#notLive(phase);
    this.#mood();
  }

  #live() {
    const { call } = this.#session;
    if (!call) return;
    this.#wantFace();
    this.#sound.measure();
    this.#quality.start(call, (grade, measures) => {
      this.#view.quality(grade, measures);
      this.#session?.tellQuality(measures);
      if (measures.delayMs) this.#face.playout(measures.delayMs + this.#sound.outputDelayMs);
    });
    this.#settings.refresh();
  }

  #notLive(phase) {
    this.#quality.stop();
    this.#view.quality('');
    if (phase === 'ended') this.#view.detour(false);
    this.#face.restart();
    this.#agentState = 'listening';
    if (phase !== 'ended') return;
    this.#sound.detach();
    this.#captions.settle();
    this.#view.muteShown(false);
  }

  /** What to show, from the session's phase and, in a live one, from the agent's state. */
  #mood() {
    const { phase, channel, begun } = this.#session;
    if (phase === 'ended' && !begun) return this.#view.mood('idle');
    if (phase !== 'live') return this.#view.mood(phase);
    if (channel === 'chat') return this.#view.mood(this.#agentState === 'listening' ? 'chat' : 'written');
    const listening = this.#agentState === 'listening' && this.#sound.microphone.muted;
    return this.#view.mood(listening ? 'muted' : this.#agentState);
  }

  #heard(event) {
    if (!this.#captions.apply(event)) return;
    if (event.event === 'error') this.#notice.show(new TalkProblem('server', { text: event.text }));
    if (event.event === 'state' && event.state in STATES) {
      this.#agentState = STATES[event.state];
      this.#mood();
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

  #stop() {
    this.#silence();
    this.#session?.stopReply();
  }

  #mute(muted) {
    this.#sound.microphone.mute(muted);
    this.#view.muteShown(muted);
    this.#mood();
  }

  async #say(text) {
    this.#notice.hide();
    if (!this.#session || this.#session.phase === 'ended') await this.#begin('chat').start();
    const session = this.#session;
    if (session.phase === 'ended') return;
    this.#captions.typed(text);
    try {
      const reply = await session.say(text);
      this.#notice.hide();
      if (reply) this.#captions.chatReply(reply.turn_id, reply.text);
    } catch (error) {
      if (session.phase !== 'ended') this.#notice.show(asProblem(error));
    }
  }

  #act(action) {
    this.#notice.hide();
    if (action === 'talk') this.#talk();
    else if (action === 'cancel') this.#session?.hangup();
    else {
      if (this.#session?.phase !== 'live') this.#session?.hangup();
      this.#view.invite();
    }
  }

  #chooseFace(shown) {
    prefer('face', shown ? 'on' : 'off');
    this.#showFace(shown);
    this.#wantFace();
  }

  /** Frames that nobody looks at need not be sent. */
  #wantFace() {
    this.#session?.call?.send({ type: 'face', on: this.#root.dataset.face === 'on' });
  }

  #showFace(shown) {
    this.#root.dataset.face = shown ? 'on' : 'off';
  }

  #frame(now) {
    const { visitor, agent } = this.#sound.levels();
    this.#view.levels(visitor, agent);
    if (this.#root.dataset.face === 'on') this.#face.draw(now);
    requestAnimationFrame((next) => this.#frame(next));
  }
}

/** @param {any} page what the server put into the page (`json_script`) */
function configOf(page) {
  return { apiBase: page.api_base, key: page.publishable_key, assistant: page.assistant.id };
}

new TalkPage();
