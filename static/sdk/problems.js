/**
 * What can stand in the visitor's way, and the words for it. `code` is what the API, the websocket and the browser's
 * own errors are translated to; everything else branches on it.
 */

/** @typedef {{title: string, advice: string, actions: string[]}} Words Actions: `talk`, `type`, `retry`, `cancel`. */

/** @type {Record<string, Words>} */
const WORDS = {
  microphone_refused: {
    title: 'The microphone is blocked',
    advice: 'Allow the microphone for this page next to the browser’s address bar, then press Talk again. You can also type.',
    actions: ['talk', 'type'],
  },
  microphone_missing: {
    title: 'No microphone found',
    advice: 'Connect a microphone and press Talk again, or type your question instead.',
    actions: ['talk', 'type'],
  },
  microphone_busy: {
    title: 'The microphone is in use',
    advice: 'Another program holds the microphone. Close it and press Talk again, or type instead.',
    actions: ['talk', 'type'],
  },
  microphone_lost: {
    title: 'The microphone was unplugged',
    advice: 'You can go on typing. Choose another microphone under Sound to speak again.',
    actions: ['type'],
  },
  insecure_origin: {
    title: 'This page is not secure',
    advice: 'Browsers allow the microphone on https pages only. Open this page with https, or type instead.',
    actions: ['type'],
  },
  unsupported: {
    title: 'This browser cannot make calls',
    advice: 'Use a current version of Firefox, Chrome, Edge or Safari to speak. Typing works here.',
    actions: ['type'],
  },
  no_path: {
    title: 'Your network blocks the call',
    advice: 'No path for sound was found; a firewall or VPN may be in the way. Try another network, or type instead.',
    actions: ['talk', 'type'],
  },
  queued: {
    title: 'You are number {place} in line',
    advice: 'Everybody is in a conversation right now. Stay on this page: you are connected as soon as it is your turn.',
    actions: ['cancel'],
  },
  busy: {
    title: 'All lines are busy',
    advice: 'Everybody is in a conversation right now. You keep your place on this page and are connected as soon as there is room.',
    actions: ['cancel', 'type'],
  },
  rate_limited: {
    title: 'A little too fast',
    advice: 'There were many attempts from here within a minute. It goes on by itself after a short pause.',
    actions: ['cancel'],
  },
  closed: {
    title: 'No conversations at the moment',
    advice: 'This assistant takes no more conversations for now. Please come back another day.',
    actions: [],
  },
  offline: {
    title: 'No connection',
    advice: 'The server cannot be reached. Check your internet connection and try again.',
    actions: ['talk'],
  },
  lost: {
    title: 'The connection was lost',
    advice: 'Several attempts to reconnect failed. Your conversation so far is kept below.',
    actions: ['talk', 'type'],
  },
  idle: {
    title: 'The conversation has ended',
    advice: 'Nothing was said for a while, so the line was freed. Press Talk to start again.',
    actions: ['talk'],
  },
  limit: {
    title: 'The conversation has ended',
    advice: 'It reached the longest time allowed. Press Talk to start a new one.',
    actions: ['talk'],
  },
  expired: {
    title: 'The conversation has ended',
    advice: 'This conversation is no longer open. Press Talk to start a new one.',
    actions: ['talk'],
  },
  refused: {
    title: 'This page may not start conversations',
    advice: 'The key of this page is not accepted here. Please tell the owner of the web site.',
    actions: [],
  },
  not_live: {
    title: 'Nobody is here to answer yet',
    advice: 'This assistant has not been published. Please come back later.',
    actions: [],
  },
  server: {
    title: 'Something went wrong on our side',
    advice: 'Please try again in a moment.',
    actions: ['talk', 'type'],
  },
};

/** Nobody waits longer on a page: a month's quota ends with the month. */
const LONGEST_WAIT_S = 600;
const RETRY_BY_ITSELF = new Set(['busy', 'rate_limited']);

/** An obstacle with a code that `wordsFor` knows how to put to the visitor. */
export class TalkProblem extends Error {
  /**
   * @param {string} code
   * @param {{text?: string, retryAfterS?: number, place?: number}} [more] `text`: the server's own words, for the console
   *   only. `place`: in line, from 1.
   */
  constructor(code, { text = '', retryAfterS = 0, place = 0 } = {}) {
    super(text || code);
    this.name = 'TalkProblem';
    this.code = code;
    this.retryAfterS = retryAfterS;
    this.place = place;
  }

  /** Waiting and trying the same again is worth it. */
  get retriesByItself() {
    return RETRY_BY_ITSELF.has(this.code);
  }
}

/**
 * Why a session that is no more has ended. The server says it in brackets: "The session is over (idle)."
 * @param {string} text
 * @returns {TalkProblem}
 */
export function endProblem(text) {
  const reason = /\((\w+)\)/.exec(text)?.[1] ?? '';
  return new TalkProblem(reason === 'idle' || reason === 'limit' ? reason : 'expired', { text });
}

/** Codes of the API and the socket that mean one of ours. */
const ALSO = { engine_failed: 'busy', too_many: 'rate_limited', unauthorized: 'refused', forbidden: 'refused' };

/**
 * @param {string} code of an error message or problem document
 * @param {{text?: string, retryAfterS?: number}} more
 * @returns {TalkProblem}
 */
export function serverProblem(code, more) {
  if (code === 'session_over') return endProblem(more.text ?? '');
  if (code === 'quota_exceeded') return new TalkProblem(more.retryAfterS > LONGEST_WAIT_S ? 'closed' : 'busy', more);
  return new TalkProblem(ALSO[code] ?? code, more);
}

/**
 * @param {string} code
 * @returns {Words} never undefined: an unknown code reads as a fault on our side
 */
export function wordsFor(code) {
  return WORDS[code] ?? WORDS.server;
}

/**
 * @param {unknown} error anything that was thrown
 * @returns {TalkProblem}
 */
export function asProblem(error) {
  if (error instanceof TalkProblem) return error;
  return new TalkProblem('server', { text: String(error) });
}
