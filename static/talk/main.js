/** Composition root of the talk page: builds its parts and wires what they tell to who must know. Holds no logic of theirs. */

import { Assistant } from '../sdk/assistant.js';
import { TalkProblem } from '../sdk/problems.js';
import { Face } from './face.js';
import { keepForLater } from './install.js';
import { Letters } from './letters.js';
import { act } from '../parts/buttons.js';
import { Notice } from '../parts/notice.js';
import { RecordingBox } from '../parts/recording.js';
import { preference, prefer } from './preferences.js';
import { SoundSettings } from './sound_settings.js';
import { Transcript } from '../parts/transcript.js';
import { View } from './view.js';

const lessMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;

class TalkPage {
  #root = document.getElementById('talk');
  #view = new View(this.#root);
  #notice = new Notice(this.#root.querySelector('[data-part="notice"]'), (action) => this.#act(action));
  #transcript = new Transcript(this.#root);
  #face = new Face(this.#root.querySelector('[data-part="face"]'), lessMotion);
  #config = configOf(JSON.parse(document.getElementById('page').textContent));
  #assistant = new Assistant(this.#config);
  #letters = new Letters(this.#root.querySelector('[data-part="letters"]'), this.#assistant, this.#config);
  #settings;

  constructor() {
    const face = preference('face', lessMotion ? 'off' : 'on') === 'on';
    this.#settings = new SoundSettings(document.getElementById('sound-settings'), document.getElementById('open-settings'), { face });
    this.#showFace(face);
    this.#listen();
    this.#wire();
    this.#prepare();
    requestAnimationFrame((now) => this.#frame(now));
  }

  #listen() {
    const [view, settings, assistant] = [this.#view, this.#settings, this.#assistant];
    view.on('talk', () => assistant.talk()).on('end', () => assistant.hangup()).on('stop', () => assistant.stop())
      .on('mute', (muted) => assistant.mute(muted)).on('say', (text) => this.#letters.say(text));
    settings.on('input', (id) => assistant.chooseInput(id)).on('output', (id) => assistant.chooseOutput(id))
      .on('face', (shown) => this.#chooseFace(shown));
  }

  #wire() {
    const recording = new RecordingBox(this.#root.querySelector('[data-part="recording"]'), this.#assistant);
    this.#assistant.on('mood', (mood) => this.#mood(mood)).on('muted', (muted) => this.#view.muteShown(muted))
      .on('problem', ({ problem, untilMs }) => this.#notice.show(problem, untilMs)).on('clear', () => this.#notice.hide())
      .on('begin', () => this.#transcript.divide())
      .on('line', (line) => this.#transcript.keep(line)).on('live', (texts) => this.#transcript.live(texts))
      .on('detour', (shown) => this.#view.detour(shown)).on('recording', (news) => recording.show(news))
      .on('quality', ({ grade, measures }) => this.#view.quality(grade, measures));
  }

  #prepare() {
    if (!Assistant.canTalk) this.#view.withoutVoice();
    else if (!window.isSecureContext) this.#notice.show(new TalkProblem('insecure_origin'));
    else this.#assistant.prepare();
  }

  #mood(mood) {
    this.#view.mood(mood);
    if (mood === 'listening') this.#settings.refresh();
  }

  #act(action) {
    this.#notice.hide();
    act(action, this.#assistant, () => this.#view.invite());
  }

  #chooseFace(shown) {
    prefer('face', shown ? 'on' : 'off');
    this.#showFace(shown);
  }

  #showFace(shown) {
    this.#root.dataset.face = shown ? 'on' : 'off';
    this.#assistant.wantFace(shown);
  }

  #frame(now) {
    const { visitor, agent } = this.#assistant.levels();
    this.#view.levels(visitor, agent);
    if (this.#root.dataset.face === 'on') this.#face.draw(this.#assistant.pose(now), now);
    requestAnimationFrame((next) => this.#frame(next));
  }
}

/** @param {any} page what the server put into the page (`json_script`) */
function configOf(page) {
  return { apiBase: page.api_base, bearer: page.publishable_key, assistant: page.assistant.id };
}

new TalkPage();
window.addEventListener('load', () => keepForLater(), { once: true });
