/** Reads a call's statistics every two seconds, for as long as it is up. */

import { grade, measure } from './quality.js';

const EVERY_MS = 2000;

export class QualityWatch {
  #timer = 0;
  #counters = null;

  /**
   * @param {{getStats: () => Promise<RTCStatsReport>}} call
   * @param {(grade: string, measures: import('./quality.js').Measures) => void} tell
   */
  start(call, tell) {
    this.stop();
    this.#timer = setInterval(async () => {
      const { measures, counters } = measure((await call.getStats()).values(), this.#counters);
      this.#counters = counters;
      tell(grade(measures), measures);
    }, EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#counters = null;
  }
}
