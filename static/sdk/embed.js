/** Embed tokens: what a page of another web site holds while a visitor talks. Short-lived, for one assistant and origin. */

import { requestJson } from './api.js';

/** Got anew while there is still time to use the old one. */
const MARGIN_MS = 30_000;

/**
 * @typedef {object} Embed
 * @property {string} token
 * @property {string} expires_at
 * @property {{id: string, name: string}} assistant
 * @property {{name: string}} tenant
 */

/**
 * The embed tokens of one page, got when they are needed.
 * @param {{apiBase: string, key: string, assistant: string}} options `key`: publishable
 * @returns {() => Promise<Embed>} throws TalkProblem: `refused` where this page's origin is not listed with the key
 */
export function embedTokens({ apiBase, key, assistant }) {
  /** @type {Promise<Embed>|null} */
  let current = null;
  let goodUntil = 0;
  return async () => {
    if (!current || Date.now() > goodUntil) {
      goodUntil = Infinity;
      current = requestJson(`${apiBase}/embed-tokens`, { bearer: key, body: { assistant } });
    }
    try {
      const embed = await current;
      goodUntil = Date.parse(embed.expires_at) - MARGIN_MS;
      return embed;
    } catch (error) {
      current = null;
      throw error;
    }
  };
}
