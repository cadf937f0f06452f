/** In the audio thread: packets in, sound out. Told by `pcm_player.js`. */

import { JitterBuffer } from './jitter_buffer.js';
import { VOICE_RATE_HZ, readVoice } from './packets.js';
import { Resampler } from './resample.js';

const TELL_EVERY_S = 0.5;
const PULL = 96;

class Player extends AudioWorkletProcessor {
  #buffer = new JitterBuffer();
  #resampler = new Resampler(VOICE_RATE_HZ, sampleRate);
  #pull = new Float32Array(PULL);
  #ready = new Float32Array(0);
  #toldAt = 0;
  #over = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#hear(data);
  }

  process(_, [[out]]) {
    for (let filled = 0; filled < out.length;) {
      if (!this.#ready.length) this.#pullMore();
      const part = this.#ready.subarray(0, out.length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#ready = this.#ready.subarray(part.length);
    }
    this.#tell();
    return !this.#over;
  }

  #hear(data) {
    if (data === 'flush') this.#buffer.flush();
    else if (data === 'close') this.#over = true;
    else {
      const packet = readVoice(data);
      if (packet) this.#buffer.push(packet);
    }
  }

  #pullMore() {
    this.#buffer.read(this.#pull);
    this.#ready = this.#resampler.feed(this.#pull);
  }

  #tell() {
    if (currentTime - this.#toldAt < TELL_EVERY_S) return;
    this.#toldAt = currentTime;
    const { underruns, received, bufferedMs, targetMs } = this.#buffer;
    this.port.postMessage({ underruns, received, bufferedMs, targetMs });
  }
}

registerProcessor('goassist-player', Player);
