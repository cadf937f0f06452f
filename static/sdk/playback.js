/**
 * The agent's voice in the visitor's ears.
 *
 * Path: remote track → WebAudio source → gain → output. A muted <audio> element plays the same stream, because browsers
 * feed WebAudio from a remote track only while an element plays it. Where the sound comes over a websocket, a worklet is
 * the source and no element is needed. The gain is what makes barge-in quick: it falls to
 * zero within a few milliseconds, whatever the jitter buffer still holds.
 */

/** Long enough not to click, short enough to be "at once". */
const FADE_S = 0.004;

export class Playback {
  /** @type {AudioContext|null} */
  #context = null;
  #gain = null;
  #analyser = null;
  #source = null;
  #element = null;
  #outputId = '';

  /** Choosing the output needs AudioContext.setSinkId: Chromium has it, others do not yet. */
  static get canChooseOutput() {
    return typeof AudioContext === 'function' && 'setSinkId' in AudioContext.prototype;
  }

  /** The context, for the level meters. Null before `unlock`. */
  get context() {
    return this.#context;
  }

  /** What the visitor hears, after the gain. Null before `unlock`. */
  get analyser() {
    return this.#analyser;
  }

  /** 1: audible, 0: muted. */
  get gain() {
    return this.#gain?.gain.value ?? 1;
  }

  /** Must be called from the visitor's own click: browsers play no sound before one (autoplay policy). */
  unlock() {
    if (!this.#context) this.#build();
    this.#context.resume().catch(() => {});
  }

  /** @param {MediaStream} stream the agent's voice; replaces the one before */
  attach(stream) {
    this.detach();
    this.#element = new Audio();
    this.#element.muted = true;
    this.#element.srcObject = stream;
    this.#element.play().catch(() => {});
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#gain);
    this.unmute();
  }

  /** @param {AudioNode} node the agent's voice as the page makes it itself; replaces the one before */
  attachNode(node) {
    this.detach();
    this.#source = node;
    node.connect(this.#gain);
    this.unmute();
  }

  detach() {
    this.#source?.disconnect();
    this.#source = null;
    if (this.#element) this.#element.srcObject = null;
    this.#element = null;
  }

  mute() {
    this.#fadeTo(0);
  }

  unmute() {
    this.#fadeTo(1);
  }

  /** @param {string} deviceId @throws {DOMException} the device is gone or not allowed */
  async chooseOutput(deviceId) {
    this.#outputId = deviceId;
    await this.#context?.setSinkId?.(deviceId);
  }

  /** @returns {number} milliseconds between the page's sound and the loudspeaker */
  get outputDelayMs() {
    return 1000 * ((this.#context?.baseLatency ?? 0) + (this.#context?.outputLatency ?? 0));
  }

  #build() {
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    this.#gain = this.#context.createGain();
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#gain.connect(this.#analyser).connect(this.#context.destination);
    if (this.#outputId) this.#context.setSinkId?.(this.#outputId).catch(() => {});
  }

  #fadeTo(value) {
    if (!this.#gain) return;
    const { gain } = this.#gain;
    const now = this.#context.currentTime;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(value, now + FADE_S);
  }
}
