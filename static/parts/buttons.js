/** What can be pressed in which mood, whatever it looks like; and what a pressed answer to an obstacle means. */

const IN_CALL = new Set(['listening', 'muted', 'thinking', 'speaking', 'reconnecting']);

/** There is a reply to be stopped. @param {import('../sdk/assistant.js').Mood} mood */
export const mayStop = (mood) => mood === 'speaking' || mood === 'thinking';

/**
 * @param {{talk: HTMLElement, mute: HTMLElement, stop: HTMLElement, end: HTMLElement}} buttons
 * @param {import('../sdk/assistant.js').Mood} mood
 */
export function showButtons({ talk, mute, stop, end }, mood) {
  const inCall = IN_CALL.has(mood);
  const busy = mood === 'starting' || mood === 'waiting';
  talk.hidden = inCall || busy;
  mute.hidden = stop.hidden = !inCall;
  end.hidden = !inCall && !busy && mood !== 'chat' && mood !== 'written';
  // Not `disabled`: that would take the keyboard focus away in the middle of a press.
  stop.setAttribute('aria-disabled', String(!mayStop(mood)));
}

/**
 * @param {string} action of problems.js: talk, type, retry, cancel
 * @param {import('../sdk/assistant.js').Assistant} assistant
 * @param {() => void} invite puts the cursor where typing begins
 */
export function act(action, assistant, invite) {
  if (action === 'talk') assistant.talk();
  else if (action === 'cancel') assistant.hangup();
  else {
    if (!assistant.live) assistant.hangup();
    invite();
  }
}
