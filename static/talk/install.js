/** Keeps the page for times without a connection, and lets it be installed. Where a browser cannot, nothing is lost. */

export async function keepForLater() {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('/sw.js', { scope: location.pathname });
  } catch {
    return; // private windows, pages that are not secure
  }
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType('resource').map(({ name }) => name);
  active.postMessage({ keep: [location.href, ...parts] });
}
