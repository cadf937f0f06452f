/**
 * The browser SDK: a voice assistant in any page, without a framework and without a build step (docs/sdk.md).
 *
 *     import { Assistant } from 'https://voice.example.com/static/sdk/goassist.js';
 *     const assistant = new Assistant({ apiBase: 'https://voice.example.com/api/v1', assistant: 'reception', bearer: 'pk_…' });
 *     assistant.on('line', ({ who, text }) => console.log(who, text));
 *     button.onclick = () => assistant.talk();
 */

export { Assistant } from './assistant.js';
export { sendMessage } from './api.js';
export { embedTokens } from './embed.js';
export { devices } from './microphone.js';
export { Outbox } from './outbox.js';
export { Playback } from './playback.js';
export { TalkProblem, asProblem, wordsFor } from './problems.js';
export { Emitter } from './emitter.js';
