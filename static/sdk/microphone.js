/**
 * The visitor's microphone: opening it with everything that keeps the agent's own voice out, muting, changing the device.
 *
 * Emits `changed` (MediaStreamTrack) after another device was chosen and `lost` when the device goes away.
 */

import { Emitter } from './emitter.js';
import { TalkProblem } from './problems.js';

const PROCESSING = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** DOMException names of getUserMedia (W3C Media Capture and Streams, section 10) in our codes. */
const CODES = {
  NotAllowedError: 'microphone_refused',
  SecurityError: 'microphone_refused',
  NotFoundError: 'microphone_missing',
  OverconstrainedError: 'microphone_missing',
  NotReadableError: 'microphone_busy',
  AbortError: 'microphone_busy',
};

export class Microphone extends Emitter {
  /** @type {MediaStream|null} */
  #stream = null;
  #deviceId = '';
  #muted = false;

  get stream() {
    return this.#stream;
  }

  get muted() {
    return this.#muted;
  }

  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? this.#deviceId;
  }

  /** @returns {Promise<boolean>} true: opening will not ask the visitor anything */
  static async granted() {
    try {
      const permission = await navigator.permissions.query({ name: /** @type {PermissionName} */ ('microphone') });
      return permission.state === 'granted';
    } catch {
      return false; // Firefox before 131 does not know this permission by name
    }
  }

  /**
   * @returns {Promise<MediaStream>} the same one while it is open
   * @throws {TalkProblem}
   */
  async open() {
    if (!this.#stream) this.#adopt(await capture(this.#deviceId));
    return this.#stream;
  }

  /** @param {string} deviceId @throws {TalkProblem} */
  async choose(deviceId) {
    this.#deviceId = deviceId;
    if (!this.#stream) return;
    const stream = await capture(deviceId);
    this.#release();
    this.#adopt(stream);
    this.emit('changed', stream.getAudioTracks()[0]);
  }

  /** @param {boolean} muted silence goes out, the call stays up */
  mute(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** Lets the device go: the browser's recording light goes out. */
  close() {
    this.#release();
    this.#muted = false;
  }

  #adopt(stream) {
    this.#stream = stream;
    this.mute(this.#muted);
    stream.getAudioTracks()[0].onended = () => this.emit('lost');
  }

  #release() {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = null;
  }
}

async function capture(deviceId) {
  if (!window.isSecureContext) throw new TalkProblem('insecure_origin');
  if (!navigator.mediaDevices?.getUserMedia) throw new TalkProblem('unsupported');
  const audio = deviceId ? { ...PROCESSING, deviceId: { ideal: deviceId } } : PROCESSING;
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new TalkProblem(CODES[error.name] ?? 'microphone_missing', { text: String(error) });
  }
}

/**
 * @param {'audioinput'|'audiooutput'} kind
 * @returns {Promise<{id: string, label: string}[]>} labels are empty until a microphone was allowed
 */
export async function devices(kind) {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return all.filter((device) => device.kind === kind && device.deviceId)
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}
