/** Fetches JSON again and again, `everyMs` after each answer; tells when the server cannot be reached. */
export function poll(url, everyMs, { onData, onTrouble }) {
  let stopped = false;
  async function round() {
    if (stopped) return;
    try {
      const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!response.ok || response.redirected) throw new Error(`${response.status}`);
      onData(await response.json());
    } catch (error) {
      onTrouble(error);
    }
    if (!stopped) setTimeout(round, everyMs);
  }
  round();
  return () => { stopped = true; };
}
