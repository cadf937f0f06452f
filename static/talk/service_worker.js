/**
 * Shows talk pages without a connection: what was shown last is kept, and asked for anew whenever the network answers.
 * Only pages under /t/ and what lies in /static/. Never the API: words go through the page's own outbox.
 */

const KEPT = 'goassist-1';
const ours = (url) => url.origin === location.origin && /^\/(t|static)\//.test(url.pathname);

self.addEventListener('install', () => self.skipWaiting());

self.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name.startsWith('goassist-') && name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

/** A page that was loaded before this worker was there names what it is made of. */
self.addEventListener('message', (event) => {
  const keep = async () => {
    const cache = await caches.open(KEPT);
    const urls = event.data.keep.map((text) => new URL(text, location.origin)).filter(ours);
    await Promise.allSettled(urls.map((url) => cache.add(url)));
    event.ports[0]?.postMessage('kept');
  };
  if (Array.isArray(event.data?.keep)) event.waitUntil(keep());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && ours(new URL(request.url))) event.respondWith(newestOrKept(request));
});

async function newestOrKept(request) {
  const cache = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.type === 'basic') await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}
