/** The page of a session: each turn that a recording covers gets a button that plays from there. */

const players = [...document.querySelectorAll('audio[data-starts-ms]')];
const news = document.querySelector('[data-recording-news]');

/** @param {number} ms on the session's clock */
function playerAt(ms) {
  return players.findLast((player) => Number(player.dataset.startsMs) <= ms) ?? players[0];
}

/** @param {number} ms on the session's clock */
async function playFrom(ms) {
  const player = playerAt(ms);
  for (const other of players) if (other !== player) other.pause();
  player.currentTime = Math.max(0, (ms - Number(player.dataset.startsMs)) / 1000);
  try {
    await player.play();
  } catch (error) {
    if (error.name !== 'AbortError') tellTrouble();
  }
}

function tellTrouble() {
  news.textContent = 'The recording cannot be played just now. Try again in a moment.';
}

for (const player of players) player.addEventListener('error', tellTrouble);
for (const turn of document.querySelectorAll('li[data-play-ms]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'go-play';
  button.textContent = '▶';
  button.setAttribute('aria-label', `Play the recording at turn ${turn.id.replace('turn-', '')}`);
  button.addEventListener('click', () => playFrom(Number(turn.dataset.playMs)));
  turn.querySelector('.go-turn-at').append(button);
}
