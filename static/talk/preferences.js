/** What the visitor chose, kept in this browser only. Where storage is closed to us, it lasts as long as the page. */

const PREFIX = 'goassist.';
const memory = new Map();

/** @param {string} name @param {string} otherwise @returns {string} */
export function preference(name, otherwise) {
  try {
    return localStorage.getItem(PREFIX + name) ?? memory.get(name) ?? otherwise;
  } catch {
    return memory.get(name) ?? otherwise;
  }
}

/** @param {string} name @param {string} value */
export function prefer(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private windows and blocked storage: `memory` has it.
  }
}
