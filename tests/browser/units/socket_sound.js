import { JitterBuffer } from '/static/sdk/jitter_buffer.js';
import { PIECE_SAMPLES, microphonePacket, readVoice } from '/static/sdk/packets.js';
import { Resampler } from '/static/sdk/resample.js';
import { equal, near, ok, test } from './harness.js';

/** seq 258, reply 3, at 1000.5 ms, 20 ms after an overlap of 5: as tests/pipeline/contracts/test_packets.py has it. */
const HEADER = '010101000201000003000000' + '0000000000448f40' + '14000500';

function bytes(hex, size) {
  const data = new Uint8Array(size);
  hex.match(/../g).forEach((pair, i) => {
    data[i] = parseInt(pair, 16);
  });
  return data.buffer;
}

function tone(hz, rateHz, count, from = 0) {
  return Float32Array.from({ length: count }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * (i + from)) / rateHz));
}

/** Packets of one sound as the worker sends them: 20 ms each, with the 5 ms before them. */
function packets(sound, { reply = 1, firstSeq = 0 } = {}) {
  return Array.from({ length: sound.length / 480 }, (_, i) => ({
    seq: firstSeq + i, reply, tAudioMs: 20 * (firstSeq + i),
    overlap: i ? sound.subarray(i * 480 - 120, i * 480) : new Float32Array(0),
    samples: sound.subarray(i * 480, (i + 1) * 480),
  }));
}

/** What sounds while the packets come evenly, `ms` of it. */
function played(buffer, list, ms) {
  const out = new Float32Array(ms * 24);
  for (let at = 0; at < ms; at += 4) {
    if (at % 20 === 0 && at / 20 < list.length) buffer.push(list[at / 20]);
    buffer.read(out.subarray(at * 24, (at + 4) * 24));
  }
  return out;
}

const largestStep = (samples) => samples.reduce((most, x, i) => (i ? Math.max(most, Math.abs(x - samples[i - 1])) : 0), 0);
const peak = (samples) => samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

test('a voice packet is read as the worker wrote it', () => {
  const packet = readVoice(bytes(HEADER, 24 + 1200));
  equal([packet.seq, packet.reply, packet.tAudioMs], [258, 3, 1000.5]);
  equal([packet.overlap.length, packet.samples.length], [120, 480]);
});

test('what is no voice packet is passed over', () => {
  equal(readVoice(new ArrayBuffer(3)), null);
  equal(readVoice(bytes('02010100', 1224)), null);
  equal(readVoice(bytes('01010100', 1224)), null);
});

test('a microphone packet has the documented form', () => {
  const data = new Uint8Array(microphonePacket(258, new Int16Array(PIECE_SAMPLES).fill(-2)));
  equal(data.length, 648);
  equal([...data.subarray(0, 10)], [1, 2, 0, 0, 2, 1, 0, 0, 254, 255]);
});

test('every rate that a sound card has becomes 16 kHz, in any portions, and tones keep their height', () => {
  for (const rate of [48000, 44100, 96000, 16000, 8000]) {
    const resampler = new Resampler(rate, 16000);
    const sound = tone(440, rate, rate);
    const parts = [];
    for (let i = 0; i < sound.length; i += 128) parts.push(...resampler.feed(sound.subarray(i, i + 128)));
    near(parts.length, 16000, 40);
    const middle = Float32Array.from(parts.slice(2000, 14000));
    near(peak(middle), 0.5, 0.02);
    const crossings = middle.reduce((count, x, i) => count + (i && x > 0 !== middle[i - 1] > 0 ? 1 : 0), 0);
    near(crossings, (2 * 440 * 12000) / 16000, 3);
  }
});

test('what 16 kHz cannot hold does not come back as something else', () => {
  const resampler = new Resampler(48000, 16000);
  ok(peak(resampler.feed(tone(14000, 48000, 9600)).subarray(200)) < 0.02);
});

test('a reply that comes evenly sounds whole, 40 ms later, without a click', () => {
  const sound = tone(300, 24000, 480 * 25);
  const out = played(new JitterBuffer(), packets(sound), 700);
  const began = out.findIndex((x) => x !== 0);
  near(began / 24, 20, 1);
  const whole = out.subarray(began - 1, began - 1 + sound.length);
  ok(whole.subarray(200, 11800).every((x, i) => Math.abs(x - sound[i + 200]) < 1e-6), 'sample for sample');
  ok(largestStep(out) < 0.045, `a step of ${largestStep(out)}`);
  equal(peak(out.subarray(-480)), 0);
});

test('a packet that comes late is a gap with soft edges, and more is held from then on', () => {
  const buffer = new JitterBuffer();
  const list = packets(tone(300, 24000, 480 * 20));
  const before = played(buffer, list.slice(0, 10), 320);
  const after = played(buffer, list.slice(10), 400);
  ok(largestStep(before) < 0.045 && largestStep(after) < 0.045);
  equal(buffer.underruns, 1);
  equal(buffer.targetMs, 60);
});

test('a pause that the worker made itself is no fault of the network', () => {
  const buffer = new JitterBuffer();
  played(buffer, packets(tone(300, 24000, 480 * 5)), 300);
  const later = packets(tone(300, 24000, 480 * 5), { firstSeq: 5 }).map((p) => ({ ...p, tAudioMs: p.tAudioMs + 500 }));
  played(buffer, later, 300);
  equal([buffer.underruns, buffer.targetMs], [0, 40]);
});

test('a flush is silent within 5 ms, whatever is held', () => {
  const buffer = new JitterBuffer();
  for (const packet of packets(tone(300, 24000, 480 * 10))) buffer.push(packet);
  const sounding = new Float32Array(480);
  buffer.read(sounding);
  buffer.flush();
  const rest = new Float32Array(480);
  buffer.read(rest);
  ok(peak(sounding) > 0.4);
  ok(peak(rest.subarray(121)) === 0, 'silent');
  ok(largestStep(Float32Array.from([...sounding, ...rest])) < 0.045, 'without a click');
});

test('where sound goes on after a hold it fades in over what was heard before', () => {
  const buffer = new JitterBuffer();
  const sound = tone(300, 24000, 480 * 20);
  played(buffer, packets(sound).slice(0, 8), 120);
  buffer.flush();
  played(buffer, [], 60);
  const again = packets(sound).slice(6).map((p, i) => ({ ...p, seq: 8 + i }));
  const out = played(buffer, again, 400);
  const began = out.findIndex((x) => x !== 0);
  near(out[began + 119], again[0].overlap[119], 0.01);
  near(out[began + 300], again[0].samples[180], 0.001);
  ok(largestStep(out) < 0.045);
});

test('packets of another sound are cross-faded where they meet', () => {
  const buffer = new JitterBuffer();
  const [first] = packets(tone(300, 24000, 480));
  buffer.push(first);
  buffer.push({ seq: 7, reply: 1, tAudioMs: 140, overlap: new Float32Array(120).fill(-0.4), samples: new Float32Array(480).fill(-0.4) });
  const out = new Float32Array(960);
  buffer.read(out);
  ok(largestStep(out) < 0.06, `a step of ${largestStep(out)}`);
  near(out[700], -0.4, 0.001);
});

test('a short word is not held back for ever', () => {
  const out = played(new JitterBuffer(), packets(tone(300, 24000, 480)), 120);
  ok(peak(out) > 0.4);
});

test('a surplus is caught up with in the pauses only', () => {
  const loud = new JitterBuffer();
  for (const packet of packets(tone(300, 24000, 480 * 30))) loud.push(packet);
  equal(loud.bufferedMs, 600);
  const quiet = new JitterBuffer();
  for (const packet of packets(new Float32Array(480 * 30))) quiet.push(packet);
  equal(quiet.bufferedMs, 100);
});

test('whatever comes, no more than two seconds are held', () => {
  const buffer = new JitterBuffer();
  for (const packet of packets(tone(300, 24000, 480 * 200))) buffer.push(packet);
  ok(buffer.bufferedMs <= 2000);
});
