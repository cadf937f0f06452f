/**
 * What was said, as the page shows it: lines that are finished and kept, and the two that are still under way.
 *
 * Emits `kept` (a Line) once per finished line, and `live` ({visitor, agent}: texts under way, empty when none).
 */

import { Emitter } from './emitter.js';

/**
 * @typedef {{who: 'visitor'|'agent', text: string, interrupted: boolean, turn: string}} Line
 *   A line of the same speaker and turn as the last one takes its place: the visitor went on speaking.
 */

export class Captions extends Emitter {
  #seen = new Set();
  #toldTurns = new Set();
  #typed = [];
  #visitor = '';
  #agent = '';
  #leg = 0;
  #state = '';

  /**
   * A live event, from whichever channel; `(leg, seq)` names it and only the first copy counts.
   * @param {{event: string, leg: number, seq: number, turn: number, reply?: number,
   *   text?: string, origin?: string, state?: string, interrupted?: boolean}} event
   * @returns {boolean} false: seen before, or of a leg that is over
   */
  apply(event) {
    const name = `${event.leg}.${event.seq}`;
    if (this.#seen.has(name) || event.leg < this.#leg) return false;
    this.#seen.add(name);
    if (event.leg > this.#leg) this.#enter(event.leg);
    this.#actions[event.event]?.(event);
    return true;
  }

  /** The visitor typed this: shown at once, and not a second time when the server tells it back. */
  typed(text) {
    this.#typed.push(text);
    this.#keep('visitor', text);
  }

  /** @param {string} turnId `session.leg.number` @param {string} text the whole reply of a written conversation */
  chatReply(turnId, text) {
    this.#tell(turnId.split('.').slice(-2).join('.'), text, false);
  }

  /** A new session begins below what is there. */
  restart() {
    this.#seen.clear();
    this.#toldTurns.clear();
    this.#typed = [];
    this.#leg = 0;
    this.#show({ visitor: '', agent: '' });
  }

  /** The session is over: what was being said when it ended is kept as far as it was heard. */
  settle() {
    const agent = this.#agent;
    this.#show({ visitor: '', agent: '' });
    if (agent) this.#keep('agent', agent, true);
  }

  #actions = {
    'caption.partial': ({ text }) => this.#show({ visitor: text }),
    'caption.final': (event) => this.#said(event),
    'state': ({ state }) => this.#stateIs(state),
    'agent.text': (event) => {
      if (!this.#toldTurns.has(turnOf(event))) this.#show({ agent: event.text });
    },
    'turn.done': (event) => this.#tell(turnOf(event), event.text, Boolean(event.interrupted)),
  };

  /** The call moved to another worker. What was being said there is all that will be heard of it. */
  #enter(leg) {
    this.#leg = leg;
    this.settle();
  }

  /** What sounded like words was none: it will get no final caption. A reply that was taken back was none either. */
  #stateIs(state) {
    if (state === 'LISTENING' && this.#state === 'THINKING') this.#show({ visitor: '' });
    if (state === 'INTERRUPTED') this.#show({ agent: '' });
    this.#state = state;
  }

  #said(event) {
    const { text, origin } = event;
    this.#show({ visitor: '' });
    const typed = origin === 'voice' ? -1 : this.#typed.indexOf(text);
    if (typed >= 0) this.#typed.splice(typed, 1);
    else if (text) this.#keep('visitor', text, false, turnOf(event));
  }

  #tell(turn, text, interrupted) {
    if (this.#toldTurns.has(turn)) return;
    this.#toldTurns.add(turn);
    this.#show({ agent: '' });
    if (text) this.#keep('agent', text, interrupted, turn);
  }

  #keep(who, text, interrupted = false, turn = '') {
    this.emit('kept', { who, text, interrupted, turn });
  }

  #show({ visitor = this.#visitor, agent = this.#agent }) {
    if (visitor === this.#visitor && agent === this.#agent) return;
    this.#visitor = visitor;
    this.#agent = agent;
    this.emit('live', { visitor, agent });
  }
}

/** A reply may be told after the next turn began: its own number counts. */
const turnOf = ({ leg, turn, reply }) => `${leg}.${reply ?? turn}`;
