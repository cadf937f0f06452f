/**
 * The agent's voice between the socket and the loudspeaker: holds as much as the network's unevenness asks for, fades
 * where sound begins and ends, and cross-fades each packet with the one before it. Pure arithmetic at 24 kHz.
 */

import { VOICE_RATE_HZ } from './packets.js';

const PER_MS = VOICE_RATE_HZ / 1000;
/** 5 ms, the overlap: too short to be heard as a fade, long enough that no step clicks. */
const FADE = 5 * PER_MS;
const LEAST_MS = 40;
const MOST_MS = 160;
const STEP_MS = 20;
/** The most that is ever held; a socket that was stuck for longer has lost that sound. */
const CAPACITY = 2000 * PER_MS;
/** More than this above the target is caught up with where nobody hears it: in the pauses. */
const SURPLUS_MS = 60;
const QUIET = 0.01;

export class JitterBuffer {
  #ring = new Float32Array(CAPACITY);
  #head = 0;
  #tail = 0;
  #playing = false;
  #gain = 0;
  #waited = 0;
  #targetMs = LEAST_MS;
  /** @type {import('./packets.js').VoicePacket|null} */
  #last = null;
  #dry = false;
  #smooth = true;
  underruns = 0;
  received = 0;

  get bufferedMs() {
    return (this.#tail - this.#head) / PER_MS;
  }

  get targetMs() {
    return this.#targetMs;
  }

  /** @param {import('./packets.js').VoicePacket} packet */
  push(packet) {
    this.received += 1;
    this.#learn(packet);
    this.#last = packet;
    if (this.#surplus(packet)) return;
    this.#join(packet.overlap);
    this.#write(packet.samples);
  }

  /** @param {Float32Array} out filled with what sounds now, silence where there is nothing */
  read(out) {
    for (let i = 0; i < out.length; i += 1) out[i] = this.#next();
  }

  /** Silence within 5 ms, whatever is held. */
  flush() {
    this.#tail = Math.min(this.#tail, this.#head + (this.#playing ? FADE : 0));
    this.#dry = false;
    this.#last = null;
  }

  #next() {
    const left = this.#tail - this.#head;
    if (!this.#playing) {
      if (left > 0) this.#waited += 1;
      if (left < this.#targetMs * PER_MS && this.#waited < this.#targetMs * PER_MS) return 0;
      this.#playing = true;
    }
    if (left === 0) {
      this.#playing = false;
      this.#dry = true;
      this.#waited = 0;
      this.#gain = 0;
      return 0;
    }
    const wanted = left > FADE ? 1 / FADE : -1 / FADE;
    this.#gain = Math.min(1, Math.max(0, this.#gain + wanted));
    const sample = this.#ring[this.#head % CAPACITY] * this.#gain;
    this.#head += 1;
    return sample;
  }

  /** A packet that should have been here while there was silence: hold more. A reply without one: hold less. */
  #learn({ reply, seq, tAudioMs }) {
    const follows = this.#last && this.#last.reply === reply && seq === (this.#last.seq + 1) % 2 ** 32;
    if (follows && this.#dry && tAudioMs - this.#last.tAudioMs < 2 * STEP_MS) {
      this.underruns += 1;
      this.#smooth = false;
      this.#targetMs = Math.min(MOST_MS, this.#targetMs + STEP_MS);
    }
    if (this.#last && this.#last.reply !== reply) {
      if (this.#smooth) this.#targetMs = Math.max(LEAST_MS, this.#targetMs - STEP_MS);
      this.#smooth = true;
    }
    this.#dry = false;
  }

  #surplus({ samples }) {
    if (this.#tail - this.#head + samples.length + FADE > CAPACITY) return true;
    if (this.bufferedMs < this.#targetMs + SURPLUS_MS) return false;
    return samples.every((sample) => Math.abs(sample) < QUIET);
  }

  /** What is held ends where the overlap ends; where it is other sound, the one fades into the other. */
  #join(overlap) {
    const held = Math.min(overlap.length, this.#tail - this.#head);
    if (held === 0) return this.#write(overlap);
    const skipped = overlap.length - held;
    for (let i = 0; i < held; i += 1) {
      const at = (this.#tail - held + i) % CAPACITY;
      const share = (i + 1) / held;
      this.#ring[at] = this.#ring[at] * (1 - share) + overlap[skipped + i] * share;
    }
  }

  #write(samples) {
    for (const sample of samples) {
      this.#ring[this.#tail % CAPACITY] = sample;
      this.#tail += 1;
    }
  }
}
