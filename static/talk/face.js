/** The drawn face: puts the pose of the moment into the page's SVG, sixty times a second while there is reason to. */

import { shapeOf } from './face_shape.js';

/** Between replies no frames come, but a face that never blinks stares. People at rest blink every 3 to 7 s. */
const BLINK_EVERY_MS = { least: 3000, most: 7000 };
const BLINK_MS = 180;

export class Face {
  #parts;
  #still;
  #blinkAt = 0;

  /**
   * @param {SVGElement} svg with `data-part` lips, inner, clip, teeth, tongue, eye-left, eye-right
   * @param {boolean} still the visitor asked for less motion: no blinks of our own
   */
  constructor(svg, still) {
    const part = (name) => svg.querySelector(`[data-part="${name}"]`);
    this.#parts = {
      lips: part('lips'), inner: part('inner'), teeth: part('teeth'), tongue: part('tongue'), clip: part('clip'),
      eyes: [part('eye-left'), part('eye-right')],
    };
    this.#still = still;
  }

  /** @param {import('../sdk/face_track.js').Pose} pose @param {number} nowMs as requestAnimationFrame gives it */
  draw(pose, nowMs) {
    const shape = shapeOf(this.#alive(pose, nowMs));
    this.#parts.lips.setAttribute('d', shape.lips);
    this.#parts.inner.setAttribute('d', shape.inner);
    this.#parts.clip.setAttribute('d', shape.inner);
    this.#parts.teeth.setAttribute('cy', String(shape.teethY));
    this.#parts.tongue.setAttribute('cy', String(shape.tongueY + 4));
    shape.eyes.forEach(({ x, y, ry }, i) => {
      const eye = this.#parts.eyes[i];
      eye.setAttribute('cx', String(x));
      eye.setAttribute('cy', String(y));
      eye.setAttribute('ry', ry.toFixed(2));
    });
  }

  #alive(pose, nowMs) {
    if (this.#still) return pose;
    if (nowMs > this.#blinkAt + BLINK_MS) {
      this.#blinkAt = nowMs + BLINK_EVERY_MS.least + Math.random() * (BLINK_EVERY_MS.most - BLINK_EVERY_MS.least);
    }
    const phase = (nowMs - this.#blinkAt) / BLINK_MS;
    const lid = phase > 0 ? Math.sin(Math.PI * phase) : 0;
    return { ...pose, eyeBlinkLeft: Math.max(lid, pose.eyeBlinkLeft ?? 0), eyeBlinkRight: Math.max(lid, pose.eyeBlinkRight ?? 0) };
  }
}
