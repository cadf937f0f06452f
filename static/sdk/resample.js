/** From one sample rate to another, streaming: windowed sinc, one set of taps for each phase that two rates can have. */

const ZERO_CROSSINGS = 8;

export class Resampler {
  #step;
  #phases;
  #half;
  #taps;
  #held;
  #at;
  #phase = 0;

  /** @param {number} fromHz @param {number} toHz whole numbers */
  constructor(fromHz, toHz) {
    const common = gcd(fromHz, toHz);
    this.#step = fromHz / common;
    this.#phases = toHz / common;
    const cutoff = Math.min(1, toHz / fromHz);
    this.#half = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.#taps = Array.from({ length: this.#phases }, (_, phase) => taps(phase / this.#phases, this.#half, cutoff));
    this.#held = new Float32Array(this.#half - 1);
    this.#at = this.#half - 1;
  }

  /** @param {Float32Array} samples @returns {Float32Array} what can be told by now: half a kernel stays behind */
  feed(samples) {
    const input = new Float32Array(this.#held.length + samples.length);
    input.set(this.#held);
    input.set(samples, this.#held.length);
    const out = new Float32Array(Math.ceil((samples.length * this.#phases) / this.#step) + 1);
    let made = 0;
    while (this.#at + this.#half < input.length) {
      const kernel = this.#taps[this.#phase];
      const start = this.#at - this.#half + 1;
      let sum = 0;
      for (let k = 0; k < kernel.length; k += 1) sum += kernel[k] * input[start + k];
      out[made] = sum;
      made += 1;
      this.#phase += this.#step;
      this.#at += Math.floor(this.#phase / this.#phases);
      this.#phase %= this.#phases;
    }
    const drop = Math.min(input.length, Math.max(0, this.#at - this.#half + 1));
    this.#held = input.slice(drop);
    this.#at -= drop;
    return out.subarray(0, made);
  }
}

/** Weights of the `2 * half` samples around a point `fraction` of a sample behind the middle one. */
function taps(fraction, half, cutoff) {
  const weights = Float64Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - fraction;
    return sinc(cutoff * x) * (0.5 + 0.5 * Math.cos((Math.PI * x) / half));
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return Float32Array.from(weights, (w) => w / sum);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}
