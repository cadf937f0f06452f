/**
 * The session's websocket: offers, candidates, chat and live events. It comes back by itself after a break; a call that
 * is up does not depend on it.
 *
 * Emits `event` (a live event), `queued` (TalkProblem: all lines are taken, with the place in line), `problem` (TalkProblem
 * that no request waits for), `closed` (TalkProblem: for good).
 */

import { backoffMs, sleep } from './backoff.js';
import { Emitter } from './emitter.js';
import { TalkProblem, endProblem, serverProblem } from './problems.js';

const PROTOCOL = 'goassist.v1';
const REQUEST_LIMIT_MS = 12000;
const TOO_MANY_WAIT_MS = 5000;
const TOO_MANY = 4429;

/** Close codes after which coming back makes no sense (docs/architecture.md). */
const FINAL = { 1000: 'expired', 4401: 'expired', 4403: 'refused', 4404: 'expired', 4410: 'expired' };

export class Signaling extends Emitter {
  #url;
  #token;
  #scope = new AbortController();
  /** @type {WebSocket|null} */
  #socket = null;
  /** @type {Promise<WebSocket>} */
  #ready;
  #nextChat = 1;
  /**
   * Requests that wait for an answer: `offer` or a chat id. `patient`: the server has said that it takes as long as it takes.
   * @type {Map<string, {resolve: Function, reject: Function, patient: Function}>}
   */
  #waiting = new Map();

  /** @param {{url: string, token: string}} grant */
  constructor({ url, token }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#ready = this.#open(0);
    this.#ready.catch(() => {});
  }

  /**
   * @param {string} sdp
   * @returns {Promise<{sdp: string, leg: number}>}
   * @throws {TalkProblem}
   */
  offer(sdp) {
    return this.#request('offer', { type: 'offer', sdp });
  }

  /**
   * @param {string} text
   * @returns {Promise<{turn_id: string, text: string}>}
   * @throws {TalkProblem}
   */
  chat(text) {
    const id = String(this.#nextChat++);
    return this.#request(id, { type: 'chat', text, id });
  }

  /** @param {RTCIceCandidate|null} candidate null: there are no more */
  candidate(candidate) {
    this.#send({
      type: 'candidate',
      candidate: candidate?.candidate ?? '',
      sdpMid: candidate?.sdpMid ?? null,
      sdpMLineIndex: candidate?.sdpMLineIndex ?? null,
    });
  }

  hangup() {
    this.#send({ type: 'hangup' });
    this.close();
  }

  close() {
    this.#scope.abort(new TalkProblem('expired'));
    this.#failAll(new TalkProblem('expired'));
    this.#socket?.close(1000);
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  async #request(id, message) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(new TalkProblem('lost')), REQUEST_LIMIT_MS);
    const late = new Promise((_, reject) => {
      limit.signal.onabort = () => reject(limit.signal.reason);
    });
    try {
      return await Promise.race([late, this.#exchange(id, message, limit.signal, () => clearTimeout(timer))]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async #exchange(id, message, limit, patient) {
    const socket = await this.#ready;
    limit.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, patient });
      socket.send(JSON.stringify(message));
    });
  }

  async #open(attempt) {
    await sleep(backoffMs(attempt), this.#scope.signal);
    const socket = new WebSocket(this.#url, [PROTOCOL, this.#token]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    return new Promise((resolve, reject) => {
      let opened = false;
      socket.onopen = () => {
        opened = true;
        resolve(socket);
      };
      socket.onclose = ({ code, reason }) => this.#closed(code, reason, opened ? 0 : attempt).then(resolve, reject);
    });
  }

  /** Opens the next socket, whose promise is the answer, unless this was the end. */
  async #closed(code, reason, attempt) {
    this.#failAll(new TalkProblem('lost', { text: reason }));
    this.#scope.signal.throwIfAborted();
    if (code in FINAL) {
      const problem = FINAL[code] === 'expired' ? endProblem(reason) : new TalkProblem(FINAL[code], { text: reason });
      this.#ready = Promise.reject(problem);
      this.#ready.catch(() => {});
      this.emit('closed', problem);
      throw problem;
    }
    const again = (code === TOO_MANY ? sleep(TOO_MANY_WAIT_MS, this.#scope.signal) : Promise.resolve())
      .then(() => this.#open(attempt + 1));
    this.#ready = again;
    return again;
  }

  #receive(data) {
    const message = JSON.parse(data);
    if ('event' in message) this.emit('event', message);
    else if (message.type === 'answer') this.#settle('offer', 'resolve', message);
    else if (message.type === 'chat_reply') this.#settle(String(message.id), 'resolve', message);
    else if (message.type === 'queued') this.#queued(message);
    else if (message.type === 'error') this.#refused(message);
  }

  /** An error names its chat, or else belongs to the oldest request under way. */
  #refused({ id, code, text, retry_after_s: retryAfterS = 0 }) {
    const problem = serverProblem(code, { text, retryAfterS });
    const waiting = id != null ? String(id) : this.#waiting.keys().next().value;
    if (this.#waiting.has(waiting)) this.#settle(waiting, 'reject', problem);
    else this.emit('problem', problem);
  }

  #queued({ id = 'offer', place }) {
    this.#waiting.get(String(id))?.patient();
    this.emit('queued', new TalkProblem('queued', { place }));
  }

  #settle(id, how, value) {
    this.#waiting.get(id)?.[how](value);
    this.#waiting.delete(id);
  }

  #failAll(problem) {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, 'reject', problem);
  }
}
