/**
 * Which pose the face shows at which moment. Pure arithmetic, no drawing: frames in, pose out.
 *
 * Frames come stamped with the audio they belong to, ahead of it or with it. The audio clock is mapped to the page's
 * clock by what arrives: the quickest message of the last few had the least delay in it.
 */

/** @typedef {Record<string, number>} Pose ARKit shapes that are not at rest, 0 to 1 */

/** Product contract, section 8: hold the last frame this long, then ease to neutral over EASE_MS. */
export const HOLD_MS = 100;
export const EASE_MS = 150;
/** Product contract, V9. */
const PLAYOUT_MS = { least: 40, most: 90, usual: 60 };
/** No shape travels its whole way faster than this: whatever the network does, the face never snaps. */
const FULL_TRAVEL_MS = 66;
const CLOCK_READINGS = 8;
const MOST_FRAMES = 300;

/** @param {number} x 0 to 1 */
const smooth = (x) => x * x * (3 - 2 * x);

export class FaceTrack {
  /** @type {{t: number, pose: Pose}[]} in order of time */
  #frames = [];
  #offsets = [];
  #playoutMs = PLAYOUT_MS.usual;
  /** After a flush the frames still under way belong to a reply that is over. */
  #flushed = false;
  /** @type {Pose} */
  #shown = {};
  #shownAt = 0;

  /** The other side's clock read `tAudioMs` when this arrived at `nowMs`. */
  clock(tAudioMs, nowMs) {
    this.#offsets.push(nowMs - tAudioMs);
    if (this.#offsets.length > CLOCK_READINGS) this.#offsets.shift();
  }

  /** @param {number} ms measured delay of the sound behind its arrival; kept within 40 to 90 */
  playout(ms) {
    this.#playoutMs = Math.min(PLAYOUT_MS.most, Math.max(PLAYOUT_MS.least, ms));
  }

  /** @param {{t_audio_ms: number, heartbeat?: boolean, blendshapes: Pose}} frame @param {number} nowMs */
  add(frame, nowMs) {
    if (this.#flushed && !frame.heartbeat) return;
    if (!this.#offsets.length) this.clock(frame.t_audio_ms, nowMs);
    const entry = { t: frame.t_audio_ms, pose: frame.blendshapes };
    let i = this.#frames.length;
    while (i > 0 && this.#frames[i - 1].t > entry.t) i -= 1;
    this.#frames.splice(i, 0, entry);
    if (this.#frames.length > MOST_FRAMES) this.#frames.shift();
  }

  /** The reply is over now: nothing of it that is queued or under way will be shown. */
  flush() {
    this.#frames = [];
    this.#flushed = true;
  }

  /** The next reply begins. */
  begin() {
    this.#flushed = false;
  }

  /** Another worker, another clock. */
  restart() {
    this.#frames = [];
    this.#offsets = [];
    this.#flushed = false;
  }

  /** @param {number} nowMs @returns {Pose} */
  pose(nowMs) {
    const t = nowMs - Math.min(...this.#offsets, Infinity) - this.#playoutMs;
    this.#forget(t);
    const wanted = this.#offsets.length ? this.#wanted(t) : {};
    this.#shown = towards(this.#shown, wanted, Math.max(0, nowMs - this.#shownAt) / FULL_TRAVEL_MS);
    this.#shownAt = nowMs;
    return this.#shown;
  }

  /** Keeps the frame that is showing and all that are still to come. */
  #forget(t) {
    while (this.#frames.length > 1 && this.#frames[1].t <= t) this.#frames.shift();
  }

  #wanted(t) {
    const [current, next] = this.#frames;
    if (!current || current.t > t) return {};
    if (next && next.t - current.t <= HOLD_MS) return mix(current.pose, next.pose, (t - current.t) / (next.t - current.t));
    const late = (t - current.t - HOLD_MS) / EASE_MS;
    return mix(current.pose, {}, smooth(Math.min(1, Math.max(0, late))));
  }
}

/** @param {Pose} a @param {Pose} b @param {number} share of b */
function mix(a, b, share) {
  const pose = {};
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    pose[name] = (a[name] ?? 0) * (1 - share) + (b[name] ?? 0) * share;
  }
  return pose;
}

/** @param {Pose} from @param {Pose} to @param {number} step the most a shape may change */
function towards(from, to, step) {
  const pose = {};
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const here = from[name] ?? 0;
    const value = here + Math.min(step, Math.max(-step, (to[name] ?? 0) - here));
    if (value > 0) pose[name] = value;
  }
  return pose;
}
