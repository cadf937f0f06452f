/** The HTTP side of a session: made here, ended here. Errors are RFC 9457 problem documents, thrown as TalkProblem. */

import { TalkProblem, serverProblem } from './problems.js';

/**
 * @typedef {object} Grant what the office hands out for one session
 * @property {string} id
 * @property {string} token for this session only, short-lived
 * @property {string} expires_at
 * @property {RTCIceServer[]} ice_servers
 * @property {{signaling: string, blendshapes: string}} urls
 * @property {boolean} [recording] the tenant wishes to record the call: the visitor is to be asked
 */

const BY_STATUS = { 401: 'refused', 403: 'refused', 404: 'not_live', 409: 'not_live', 410: 'expired', 429: 'rate_limited', 503: 'busy' };
const DEFAULT_WAIT_S = 10;

/**
 * @param {{apiBase: string, bearer: () => Promise<string>, assistant: string, channel: 'voice'|'chat', signal?: AbortSignal}} request
 * @returns {Promise<Grant>}
 * @throws {TalkProblem}
 */
export async function createSession({ apiBase, bearer, assistant, channel, signal }) {
  return requestJson(`${apiBase}/sessions`, { bearer: await bearer(), body: { assistant, channel }, signal });
}

/**
 * Types into a session over HTTP, once: sent again with the same `id`, it is answered again and not said again.
 * @param {{apiBase: string, grant: Grant, id: string, text: string, signal?: AbortSignal}} request `id`: the message's own
 * @returns {Promise<{turn_id: string, reply: string}>}
 * @throws {TalkProblem}
 */
export async function sendMessage({ apiBase, grant, id, text, signal }) {
  const url = `${apiBase}/sessions/${grant.id}/chat`;
  return requestJson(url, { bearer: grant.token, body: { message: text }, headers: { 'Idempotency-Key': id }, signal });
}

/**
 * @param {string} url
 * @param {{bearer: string, body: object, headers?: Record<string, string>, signal?: AbortSignal}} request
 * @throws {TalkProblem}
 */
export async function requestJson(url, { bearer, body, headers = {}, signal }) {
  const response = await send(url, {
    method: 'POST',
    headers: { 'Authorization': `Bearer ${bearer}`, 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  return response.json();
}

/**
 * The servers to find a path with, their credentials fresh: those that a session began with expire.
 * @param {{apiBase: string, id: string, token: string, signal?: AbortSignal}} request
 * @returns {Promise<RTCIceServer[]>}
 * @throws {TalkProblem}
 */
export async function readIceServers({ apiBase, id, token, signal }) {
  const headers = { 'Authorization': `Bearer ${token}` };
  const response = await send(`${apiBase}/sessions/${id}/ice-servers`, { headers, signal });
  return (await response.json()).ice_servers;
}

/**
 * What the visitor says to being recorded. Not agreed: what was recorded is deleted, also when the call is over.
 * @param {{apiBase: string, grant: Grant, agreed: boolean}} request
 * @throws {TalkProblem}
 */
export async function setRecording({ apiBase, grant, agreed }) {
  const headers = { 'Authorization': `Bearer ${grant.token}` };
  await send(`${apiBase}/sessions/${grant.id}/recording`, { method: agreed ? 'PUT' : 'DELETE', headers, keepalive: true });
}

async function send(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: 'omit', cache: 'no-store', ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new TalkProblem('offline', { text: String(error) });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response) {
  const code = BY_STATUS[response.status] ?? 'server';
  const body = await response.json().catch(() => ({}));
  const retryAfterS = Number(response.headers.get('Retry-After')) || Number(body.retry_after_s) || DEFAULT_WAIT_S;
  const more = { text: body.detail ?? body.title ?? '', retryAfterS };
  return body.code === 'quota_exceeded' ? serverProblem(body.code, more) : new TalkProblem(code, more);
}
