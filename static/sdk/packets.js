/**
 * Sound on the audio websocket: one packet a binary message, little endian (docs/architecture.md, "Audio websocket").
 */

const VERSION = 1;
const VOICE = 1;
const MICROPHONE = 2;
const PCM16_24000 = 1;
const VOICE_HEADER_BYTES = 24;
const MICROPHONE_HEADER_BYTES = 8;

export const VOICE_RATE_HZ = 24000;
export const EAR_RATE_HZ = 16000;
/** 20 ms of the visitor. */
export const PIECE_SAMPLES = 320;

/**
 * @typedef {object} VoicePacket
 * @property {number} seq grows by one a packet, wraps at 2^32
 * @property {number} reply
 * @property {number} tAudioMs of the first new sample; the overlap never advances the clock
 * @property {Float32Array} overlap the last sound before, repeated; empty where a reply begins
 * @property {Float32Array} samples what is new
 */

/** @param {ArrayBuffer} data @returns {VoicePacket|null} null: not a packet that this page knows */
export function readVoice(data) {
  if (data.byteLength < VOICE_HEADER_BYTES) return null;
  const view = new DataView(data);
  if (view.getUint8(0) !== VERSION || view.getUint8(1) !== VOICE || view.getUint8(2) !== PCM16_24000) return null;
  const perMs = VOICE_RATE_HZ / 1000;
  const durationMs = view.getUint16(20, true);
  const overlapMs = view.getUint16(22, true);
  if (data.byteLength !== VOICE_HEADER_BYTES + 2 * perMs * (durationMs + overlapMs)) return null;
  const all = floats(new Int16Array(data, VOICE_HEADER_BYTES));
  return {
    seq: view.getUint32(4, true),
    reply: view.getUint32(8, true),
    tAudioMs: view.getFloat64(12, true),
    overlap: all.subarray(0, overlapMs * perMs),
    samples: all.subarray(overlapMs * perMs),
  };
}

/** @param {number} seq @param {Int16Array} piece PIECE_SAMPLES at 16 kHz @returns {ArrayBuffer} */
export function microphonePacket(seq, piece) {
  const data = new ArrayBuffer(MICROPHONE_HEADER_BYTES + piece.byteLength);
  const view = new DataView(data);
  view.setUint8(0, VERSION);
  view.setUint8(1, MICROPHONE);
  view.setUint32(4, seq >>> 0, true);
  new Int16Array(data, MICROPHONE_HEADER_BYTES).set(piece);
  return data;
}

function floats(pcm) {
  const out = new Float32Array(pcm.length);
  for (let i = 0; i < pcm.length; i += 1) out[i] = pcm[i] / 32768;
  return out;
}
