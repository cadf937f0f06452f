/** How loud something is, as a number the eye can follow. */

const FLOOR_DB = -60;
const FFT_SIZE = 512;

/**
 * @param {Float32Array} samples -1 to 1
 * @returns {number} 0 (at or below -60 dBFS) to 1 (full scale), linear in decibels
 */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / (samples.length || 1));
  const db = 20 * Math.log10(rms || 1e-9);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}

/** A level that can be asked at any time: an AnalyserNode on a stream, or one that exists already. */
export class Level {
  #analyser;
  #source;
  #samples;

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   */
  static of(context, stream) {
    const analyser = context.createAnalyser();
    analyser.fftSize = FFT_SIZE;
    const source = context.createMediaStreamSource(stream);
    source.connect(analyser);
    return new Level(analyser, source);
  }

  /**
   * @param {AnalyserNode} analyser
   * @param {AudioNode} [source] disconnected on close
   */
  constructor(analyser, source) {
    this.#analyser = analyser;
    this.#source = source;
    this.#samples = new Float32Array(analyser.fftSize);
  }

  /** @returns {number} 0 to 1 */
  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return loudness(this.#samples);
  }

  close() {
    this.#source?.disconnect();
  }
}
