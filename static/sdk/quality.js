/**
 * How good the connection is, from getStats (W3C webrtc-stats), in numbers and in one word.
 */

/** @typedef {{rttMs: number, lossPercent: number, jitterMs: number, delayMs: number}} Measures `delayMs`: jitter buffer */
/** @typedef {{received: number, lost: number, delayS: number, emitted: number}} Counters */

/** Upper limits of `good` and `fair`. Loss and delay at which ITU-T G.107 puts speech below "satisfied" and "fair". */
const LIMITS = [
  { grade: 'good', rttMs: 200, lossPercent: 2, jitterMs: 30 },
  { grade: 'fair', rttMs: 400, lossPercent: 8, jitterMs: 80 },
];

/** @param {Measures} measures @returns {'good'|'fair'|'poor'} */
export function grade({ rttMs, lossPercent, jitterMs }) {
  const fits = (limit) => rttMs <= limit.rttMs && lossPercent <= limit.lossPercent && jitterMs <= limit.jitterMs;
  return /** @type {any} */ (LIMITS.find(fits)?.grade ?? 'poor');
}

/**
 * @param {Iterable<any>} report values of an RTCStatsReport
 * @param {Counters|null} before counters of the last reading: loss and delay are of the time in between
 * @returns {{measures: Measures, counters: Counters}}
 */
export function measure(report, before) {
  const stats = [...report];
  const inbound = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio') ?? {};
  const uplink = stats.find((s) => s.type === 'remote-inbound-rtp' && s.kind === 'audio') ?? {};
  const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') ?? {};
  const counters = countersOf(inbound);
  const since = deltas(counters, before);
  const downlinkLoss = since.received + since.lost > 0 ? (100 * since.lost) / (since.received + since.lost) : 0;
  return {
    counters,
    measures: {
      rttMs: 1000 * (pair.currentRoundTripTime ?? uplink.roundTripTime ?? 0),
      lossPercent: Math.max(downlinkLoss, 100 * (uplink.fractionLost ?? 0)),
      jitterMs: 1000 * Math.max(inbound.jitter ?? 0, uplink.jitter ?? 0),
      delayMs: since.emitted > 0 ? (1000 * since.delayS) / since.emitted : 0,
    },
  };
}

function countersOf(inbound) {
  return {
    received: inbound.packetsReceived ?? 0,
    lost: inbound.packetsLost ?? 0,
    delayS: inbound.jitterBufferDelay ?? 0,
    emitted: inbound.jitterBufferEmittedCount ?? 0,
  };
}

/** A fresh connection starts its counters at zero again: then they count whole. */
function deltas(now, before) {
  if (!before || now.received < before.received) return { ...now, lost: Math.max(0, now.lost) };
  return {
    received: now.received - before.received,
    lost: Math.max(0, now.lost - before.lost),
    delayS: now.delayS - before.delayS,
    emitted: now.emitted - before.emitted,
  };
}
