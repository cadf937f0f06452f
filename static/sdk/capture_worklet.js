/** In the audio thread: the microphone becomes pieces of 20 ms, 16 kHz, 16 bit. Told to `pcm_capture.js`. */

import { EAR_RATE_HZ, PIECE_SAMPLES } from './packets.js';
import { Resampler } from './resample.js';

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, EAR_RATE_HZ);
  #piece = new Int16Array(PIECE_SAMPLES);
  #filled = 0;
  #over = false;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#over = true;
    };
  }

  process([[heard]]) {
    if (heard) for (const sample of this.#resampler.feed(heard)) this.#add(sample);
    return !this.#over;
  }

  #add(sample) {
    this.#piece[this.#filled] = Math.round(32767 * Math.min(1, Math.max(-1, sample)));
    this.#filled += 1;
    if (this.#filled < PIECE_SAMPLES) return;
    this.port.postMessage(this.#piece, [this.#piece.buffer]);
    this.#piece = new Int16Array(PIECE_SAMPLES);
    this.#filled = 0;
  }
}

registerProcessor('goassist-capture', Capture);
