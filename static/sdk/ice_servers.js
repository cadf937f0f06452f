/** The servers that a session's legs find their paths with. */

import { readIceServers } from './api.js';

export class IceServers {
  #used = false;
  #request;
  #first;

  /** @param {string} apiBase @param {import('./api.js').Grant} grant */
  constructor(apiBase, { id, token, ice_servers: first }) {
    this.#request = { apiBase, id, token };
    this.#first = first;
  }

  /**
   * Credentials of a relay are good for minutes: each leg but the first, which begins at once, gets fresh ones.
   * @param {AbortSignal} signal @returns {Promise<RTCIceServer[]>}
   */
  async next(signal) {
    const good = !this.#used || !this.#first.some((server) => server.credential);
    this.#used = true;
    if (good) return this.#first;
    try {
      return await readIceServers({ ...this.#request, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#first; // most networks need no relay, and what else is wrong the offer will tell
    }
  }
}
