import { shapeOf } from '/static/talk/face_shape.js';
import { EASE_MS, FaceTrack, HOLD_MS } from '/static/sdk/face_track.js';
import { equal, near, ok, test } from './harness.js';

const PLAYOUT_MS = 60;
const open = (t, jawOpen) => ({ t_audio_ms: t, blendshapes: { jawOpen } });

/** A track whose audio clock reads 0 when the page's reads 1000, sampled each 5 ms up to `until`. */
function sample(track, until, from = 1000) {
  const jaws = [];
  for (let now = from; now <= until; now += 5) jaws.push(track.pose(now).jawOpen ?? 0);
  return jaws;
}

function steady(value, count = 10) {
  const track = new FaceTrack();
  track.clock(0, 1000);
  for (let i = 0; i < count; i += 1) track.add(open(i * 33, value), 1000);
  return track;
}

test('a frame is shown when its sound is heard', () => {
  const track = new FaceTrack();
  track.clock(0, 1000);
  track.add(open(200, 1), 1000);
  track.add(open(233, 1), 1000);
  sample(track, 1000 + 200 + PLAYOUT_MS - 5);
  equal(track.pose(1000 + 200 + PLAYOUT_MS - 1), {});
  sample(track, 1400, 1260);
  ok(track.pose(1400).jawOpen > 0.9);
});

test('the quickest message sets the clock', () => {
  const track = new FaceTrack();
  track.clock(0, 1080);
  track.clock(1000, 2000);
  track.clock(2000, 3045);
  track.add(open(3000, 1), 3900);
  track.add(open(3033, 1), 3900);
  sample(track, 4000 + PLAYOUT_MS + 5, 3900);
  ok(track.pose(4000 + PLAYOUT_MS + 30).jawOpen > 0.3);
});

test('missing frames hold the last pose and then ease to rest', () => {
  const track = steady(0.8);
  const last = 9 * 33 + PLAYOUT_MS + 1000;
  sample(track, last);
  near(track.pose(last + HOLD_MS - 1).jawOpen, 0.8, 0.01);
  const half = track.pose(last + HOLD_MS + EASE_MS / 2).jawOpen;
  near(half, 0.4, 0.12);
  sample(track, last + HOLD_MS + EASE_MS + 30, last + HOLD_MS + EASE_MS / 2);
  equal(track.pose(last + HOLD_MS + EASE_MS + 40), {});
});

test('the face never snaps, whatever the network does', () => {
  const track = new FaceTrack();
  track.clock(0, 1000);
  for (const [t, jaw] of [[0, 0], [33, 1], [400, 0.9], [66, 0], [433, 0.1], [900, 1], [905, 0]]) track.add(open(t, jaw), 1000);
  const jaws = sample(track, 2400);
  const steps = jaws.slice(1).map((jaw, i) => Math.abs(jaw - jaws[i]));
  ok(Math.max(...steps) <= 5 / 66 + 1e-9, `largest step ${Math.max(...steps)}`);
});

test('a flushed reply eases to neutral', () => {
  const track = steady(0.8, 40);
  sample(track, 1300);
  track.flush();
  const jaws = sample(track, 1400, 1300);
  ok(jaws[1] > 0.5, 'it snapped');
  equal(jaws.at(-1), 0);
});

test('frames of a flushed reply that were under way are not shown, those of the next one are', () => {
  const track = steady(0.8, 40);
  sample(track, 1300);
  track.flush();
  for (let t = 300; t < 600; t += 33) track.add(open(t, 0.5), 1310);
  equal(sample(track, 1500, 1300).at(-1), 0);
  track.begin();
  for (let t = 500; t < 900; t += 33) track.add(open(t, 0.5), 1500);
  near(sample(track, 1700, 1500).at(-1), 0.5, 0.01);
});

test('the playout delay stays between 40 and 90 ms', () => {
  for (const [asked, given] of [[5, 40], [70, 70], [400, 90]]) {
    const track = new FaceTrack();
    track.clock(0, 1000);
    track.playout(asked);
    for (let t = 0; t < 330; t += 33) track.add(open(t, 1), 1000);
    equal(track.pose(1000 + given - 1), {});
    ok(track.pose(1000 + given + 10).jawOpen > 0);
  }
});

test('the jaw opens the mouth and a pucker narrows it', () => {
  const box = (pose) => {
    const numbers = shapeOf(pose).inner.match(/-?[\d.]+/g).map(Number);
    const xs = numbers.filter((_, i) => i % 2 === 0);
    const ys = numbers.filter((_, i) => i % 2 === 1);
    return { width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) };
  };
  const [rest, jaw, pucker, closed] = [{}, { jawOpen: 1 }, { mouthPucker: 1 }, { jawOpen: 1, mouthClose: 1 }].map(box);
  ok(jaw.height > 5 * rest.height);
  ok(pucker.width < 0.6 * rest.width);
  ok(closed.height < 0.35 * jaw.height);
});

test('a blink closes both eyes', () => {
  const [open, shut] = [{}, { eyeBlinkLeft: 1, eyeBlinkRight: 1 }].map((pose) => shapeOf(pose).eyes.map((eye) => eye.ry));
  ok(open.every((ry) => ry > 8));
  ok(shut.every((ry) => ry < 1));
});
