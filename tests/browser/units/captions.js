import { Captions } from '/static/sdk/captions.js';
import { equal, record, test } from './harness.js';

const event = (seq, name, more = {}) => ({ event: name, leg: 1, seq, turn: 1, ...more });

test('a partial caption is shown live and kept when it is final', () => {
  const captions = new Captions();
  const heard = record(captions, 'live', 'kept');
  captions.apply(event(1, 'caption.partial', { text: 'what are' }));
  captions.apply(event(2, 'caption.partial', { text: 'what are your hours' }));
  captions.apply(event(3, 'caption.final', { text: 'What are your hours?', origin: 'voice' }));
  equal(heard, [
    ['live', { visitor: 'what are', agent: '' }],
    ['live', { visitor: 'what are your hours', agent: '' }],
    ['live', { visitor: '', agent: '' }],
    ['kept', { who: 'visitor', text: 'What are your hours?', interrupted: false, turn: '1.1' }],
  ]);
});

test('an event heard on both channels counts once', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  const final = event(3, 'caption.final', { text: 'Hello', origin: 'voice' });
  equal([captions.apply(final), captions.apply({ ...final })], [true, false]);
  equal(heard.length, 1);
});

test('a reply is kept once, although it is told as an event and as a chat reply', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.chatReply('session.1.4', 'We open at nine.');
  captions.apply(event(9, 'turn.done', { reply: 4, text: 'We open at nine.', interrupted: false }));
  equal(heard, [['kept', { who: 'agent', text: 'We open at nine.', interrupted: false, turn: '1.4' }]]);
});

test('a reply that comes after the next turn began is filed under its own number', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.apply({ ...event(1, 'turn.done', { reply: 1, text: 'One', interrupted: true }), turn: 2 });
  captions.apply({ ...event(2, 'turn.done', { reply: 2, text: 'Two', interrupted: false }), turn: 2 });
  equal(heard.map(([, line]) => line.text), ['One', 'Two']);
});

test('an interrupted reply says so and holds what was heard', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.apply(event(1, 'agent.text', { reply: 1, text: 'We are open on' }));
  captions.apply(event(2, 'turn.done', { reply: 1, text: 'We are open', interrupted: true }));
  equal(heard, [['kept', { who: 'agent', text: 'We are open', interrupted: true, turn: '1.1' }]]);
});

test('text of a reply that arrives after its end is not shown again', () => {
  const captions = new Captions();
  captions.apply(event(2, 'turn.done', { reply: 1, text: 'We are open', interrupted: false }));
  const heard = record(captions, 'live');
  captions.apply(event(1, 'agent.text', { reply: 1, text: 'We are' }));
  equal(heard, []);
});

test('what was typed is shown at once and not a second time', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.typed('Do you see rabbits?');
  captions.apply(event(1, 'caption.final', { text: 'Do you see rabbits?', origin: 'chat' }));
  captions.apply(event(2, 'caption.final', { text: 'Do you see rabbits?', origin: 'voice' }));
  equal(heard.length, 2);
});

test('sounds that were no words leave no caption behind', () => {
  const captions = new Captions();
  const heard = record(captions, 'live');
  captions.apply(event(1, 'caption.partial', { text: 'hm' }));
  captions.apply(event(2, 'state', { state: 'THINKING' }));
  captions.apply(event(3, 'state', { state: 'LISTENING' }));
  equal(heard.at(-1), ['live', { visitor: '', agent: '' }]);
});

test('a new leg keeps what was heard and ignores late news of the old one', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.apply(event(7, 'agent.text', { reply: 1, text: 'Our prices' }));
  captions.apply({ ...event(0, 'state', { state: 'LISTENING' }), leg: 2 });
  const late = captions.apply(event(8, 'agent.text', { reply: 1, text: 'Our prices are' }));
  equal([heard, late], [[['kept', { who: 'agent', text: 'Our prices', interrupted: true, turn: '' }]], false]);
});

test('a reply that was taken back leaves nothing, and what the visitor goes on to say is of the same turn', () => {
  const captions = new Captions();
  const heard = record(captions, 'kept');
  captions.apply(event(1, 'caption.final', { text: 'What are your hours', origin: 'voice' }));
  captions.apply(event(2, 'agent.text', { text: 'We are', reply: 1 }));
  captions.apply(event(3, 'state', { state: 'INTERRUPTED' }));
  captions.apply(event(4, 'state', { state: 'LISTENING' }));
  captions.apply(event(5, 'caption.final', { text: 'What are your hours on Sunday', origin: 'voice' }));
  captions.settle();
  equal(heard.map(([, line]) => [line.text, line.turn]), [
    ['What are your hours', '1.1'], ['What are your hours on Sunday', '1.1'],
  ]);
});
