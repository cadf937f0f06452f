import { backoffMs, sleep } from '/static/sdk/backoff.js';
import { Control } from '/static/sdk/control.js';
import { loudness } from '/static/sdk/level.js';
import { endProblem, serverProblem, wordsFor } from '/static/sdk/problems.js';
import { grade, measure } from '/static/sdk/quality.js';
import { equal, near, ok, record, rejection, test } from './harness.js';

class FakeChannel {
  readyState = 'open';
  sent = [];

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  hear(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

/** A control whose seconds pass when told to. */
function controlled() {
  const channel = new FakeChannel();
  let now = 0;
  const control = new Control(channel, () => now);
  const pass = (ms) => {
    now += ms;
    control.tick();
  };
  return { channel, control, pass, heard: record(control, 'lost', 'reply', 'hold', 'resume', 'stop', 'clock', 'event') };
}

test('the first attempt is at once and ten take less than a minute and more than half of one', () => {
  equal(backoffMs(0), 0);
  const whole = Array.from({ length: 10 }, (_, i) => backoffMs(i, () => 0.5)).reduce((a, b) => a + b);
  ok(whole > 30_000 && whole < 60_000, `ten attempts take ${whole} ms`);
});

test('a sleep that is called off rejects with the reason', async () => {
  const scope = new AbortController();
  const slept = sleep(60_000, scope.signal);
  scope.abort(new Error('enough'));
  equal((await rejection(slept)).message, 'enough');
});

test('the page beats every second', () => {
  const { channel, pass, control } = controlled();
  pass(1000);
  pass(1000);
  control.close();
  equal(channel.sent, [{ type: 'beat' }, { type: 'beat' }]);
});

test('three seconds without a beat are a loss, told once', () => {
  const { channel, pass, heard } = controlled();
  channel.hear({ type: 'beat', t_audio_ms: 10 });
  for (let i = 0; i < 3; i += 1) pass(1000);
  equal(heard, [['clock', 10]]);
  pass(1000);
  equal(heard.slice(1), [['lost', 'beat']]);
});

test('a device that slept hears what is waiting before it judges', () => {
  const { channel, pass, heard, control } = controlled();
  pass(600_000);
  channel.hear({ type: 'beat', t_audio_ms: 10 });
  pass(1000);
  control.close();
  equal(heard, [['clock', 10]]);
});

test('a worker that is going down is a loss at once', () => {
  const { channel, heard } = controlled();
  channel.hear({ type: 'moved' });
  equal(heard, [['lost', 'moved']]);
});

test('what happens to a reply is told with its number', () => {
  const { channel, heard, control } = controlled();
  channel.hear({ type: 'hold', reply: 3, heard_ms: 100 });
  channel.hear({ type: 'resume', reply: 3 });
  channel.hear({ type: 'stop', reply: 3, heard_ms: 120 });
  channel.hear({ type: 'reply', reply: 4, t_audio_ms: 900 });
  control.close();
  equal(heard.map(([name, detail]) => [name, detail.reply ?? detail]), [
    ['hold', 3], ['resume', 3], ['stop', 3], ['clock', 900], ['reply', 4],
  ]);
});

test('silence has no level and full scale has all of it', () => {
  equal(loudness(new Float32Array(128)), 0);
  equal(loudness(new Float32Array(128).fill(1)), 1);
  near(loudness(new Float32Array(128).fill(0.0316)), 0.5, 0.01);
});

test('a connection is as good as its worst figure', () => {
  equal(grade({ rttMs: 20, lossPercent: 0, jitterMs: 5 }), 'good');
  equal(grade({ rttMs: 20, lossPercent: 5, jitterMs: 5 }), 'fair');
  equal(grade({ rttMs: 900, lossPercent: 0, jitterMs: 5 }), 'poor');
});

test('loss and delay are those of the last reading', () => {
  const report = (received, lost, delayS, emitted) => [
    { type: 'inbound-rtp', kind: 'audio', packetsReceived: received, packetsLost: lost, jitter: 0.01, jitterBufferDelay: delayS, jitterBufferEmittedCount: emitted },
    { type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.05 },
  ];
  const first = measure(report(1000, 100, 10, 100), null);
  const second = measure(report(1090, 110, 16, 200), first.counters);
  const { rttMs, lossPercent, jitterMs, delayMs } = second.measures;
  equal([rttMs, lossPercent, jitterMs, delayMs].map(Math.round), [50, 10, 10, 60]);
});

test('a connection that just began measures nothing rather than nonsense', () => {
  const { measures } = measure([], null);
  equal(Object.values(measures), [0, 0, 0, 0]);
});

test('every obstacle has words, unknown ones too', () => {
  ok(wordsFor('busy').title !== wordsFor('server').title);
  equal(wordsFor('something new'), wordsFor('server'));
});

test('the reason of an end is read from its words', () => {
  equal(endProblem('The session is over (idle).').code, 'idle');
  equal(endProblem('There is no such session.').code, 'expired');
  equal(serverProblem('quota_exceeded', { retryAfterS: 30 }).code, 'busy');
  equal(serverProblem('quota_exceeded', { retryAfterS: 86400 * 20 }).code, 'closed');
  equal(serverProblem('session_over', { text: 'This session is over (limit). Create a new one.' }).code, 'limit');
});
