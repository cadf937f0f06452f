/** Wires an assistant to the panel: what one tells, the other shows. */

import { act } from '../parts/buttons.js';
import { Notice } from '../parts/notice.js';
import { Transcript } from '../parts/transcript.js';
import { Assistant } from '../sdk/assistant.js';
import { embedTokens } from '../sdk/embed.js';
import { asProblem, wordsFor } from '../sdk/problems.js';
import { Panel } from './panel.js';

export class Conversation {
  panel;
  #assistant;
  #notice;
  #embed;
  #levels = 0;
  /** @type {Promise<import('../parts/recording.js').RecordingBox>|null} */
  #box = null;

  /**
   * @param {typeof import('./texts/en.js').default} texts
   * @param {{apiBase: string, key: string, assistant: string, consent: string, privacy: string,
   *   closable: boolean, embed?: () => Promise<import('../sdk/embed.js').Embed>}} options `embed`: another way to a token
   */
  constructor(texts, options) {
    const embed = options.embed ?? embedTokens(options);
    this.#embed = embed;
    this.#assistant = new Assistant({ ...options, bearer: async () => (await embed()).token });
    this.panel = new Panel(texts, { ...options, canTalk: Assistant.canTalk && window.isSecureContext });
    const problem = (code) => ({ ...wordsFor(code), ...texts.problems[code] ?? texts.problems.server });
    this.#notice = new Notice(this.panel.element.querySelector('[data-part="notice"]'), (action) => this.#act(action), { ...texts.notice, problem });
    this.#assistant.on('recording', (news) => this.#recorded(news, texts.lang));
    this.#wire(new Transcript(this.panel.element, texts.transcript));
    this.#assistant.prepare();
  }

  /** The visitor looks at it: who is it they may talk with? A page that may not have it says so at once. */
  async show() {
    cancelAnimationFrame(this.#levels);
    this.#measure();
    try {
      const { assistant, tenant } = await this.#embed();
      this.panel.title(`${assistant.name} · ${tenant.name}`);
    } catch (error) {
      this.#notice.show(asProblem(error));
    }
  }

  end() {
    cancelAnimationFrame(this.#levels);
    this.#assistant.hangup();
  }

  #wire(transcript) {
    this.panel.on('talk', () => this.#assistant.talk()).on('mute', (muted) => this.#assistant.mute(muted))
      .on('stop', () => this.#assistant.stop()).on('end', () => this.#assistant.hangup()).on('say', (text) => this.#assistant.say(text));
    this.#assistant.on('mood', (mood) => this.panel.mood(mood)).on('muted', (muted) => this.panel.muted(muted))
      .on('problem', ({ problem, untilMs }) => this.#notice.show(problem, untilMs)).on('clear', () => this.#notice.hide())
      .on('begin', () => transcript.divide()).on('line', (line) => transcript.keep(line)).on('live', (texts) => transcript.live(texts));
  }

  /** Few tenants record: what it takes is fetched where one does. */
  async #recorded(news, lang) {
    this.#box ??= this.#recordingBox(lang);
    (await this.#box).show(news);
  }

  async #recordingBox(lang) {
    const box = this.panel.element.querySelector('[data-part="recording"]');
    const [{ RecordingBox }, { default: words }] = await Promise.all([import('../parts/recording.js'), import('./texts/recording.js')]);
    box.setAttribute('aria-label', words[lang].label);
    return new RecordingBox(box, this.#assistant, words[lang]);
  }

  #act(action) {
    this.#notice.hide();
    act(action, this.#assistant, () => this.panel.invite());
  }

  #measure() {
    if (!this.panel.element.hidden) {
      const { visitor, agent } = this.#assistant.levels();
      this.panel.level(Math.max(visitor, agent));
    }
    this.#levels = requestAnimationFrame(() => this.#measure());
  }
}
