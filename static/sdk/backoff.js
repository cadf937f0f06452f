/** Waiting: how long before the next attempt, and a sleep that can be called off. */

const FIRST_MS = 250;
const LONGEST_MS = 8000;

/**
 * Doubling delays with jitter, so that many pages that lost the same worker do not come back in one instant. The
 * first attempt is at once. Ten attempts take about 45 s, within the ten offers a minute that the server allows.
 * @param {number} attempt from 0
 * @param {() => number} [random] 0 to 1
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, random = Math.random) {
  if (attempt === 0) return 0;
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return whole * (0.75 + 0.5 * random());
}

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>} rejects with the signal's reason when it is aborted
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
