/** The live sessions page: its tables, drawn anew every two seconds. Texts only, never markup. */
import { poll } from "./poll.js";

const page = document.querySelector("[data-live]");
const body = page.querySelector("[data-table] tbody");
const workers = page.querySelector("[data-workers]");
const trouble = page.querySelector("[data-connection]");
const columns = page.dataset.columns.split(" ");

const TEXTS = {
  tenant: (s) => s.tenant,
  assistant: (s) => s.assistant,
  channel: (s) => s.channel,
  duration: (s) => span(s.duration_s),
  worker: (s) => s.worker || "–",
  leg: (s) => s.leg,
  ttfa: (s) => (s.ttfa_ms == null ? "–" : `${Math.round(s.ttfa_ms)} ms`),
  seen: (s) => `${Math.max(0, s.seen_s)} s ago`,
};

const OF_WORKER = {
  worker: (w) => w.worker,
  pool: (w) => w.pool,
  level: (w) => `${w.level} ${w.level_name}`,
  why: (w) => w.why || "–",
  seats: (w) => `${w.sessions} of ${w.seats}`,
  lag: (w) => `${w.loop_lag_ms.toFixed(1)} ms`,
  ttfa: (w) => (w.ttfa_p95_ms == null ? "–" : `${Math.round(w.ttfa_p95_ms)} ms`),
  takes: (w) => (w.takes_sessions ? "yes" : "no"),
};

function span(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function cell(text) {
  const td = document.createElement("td");
  td.className = "go-number";
  td.textContent = text;
  return td;
}

function row(thing, texts, names) {
  const tr = document.createElement("tr");
  tr.append(...names.map((name) => cell(texts[name](thing))));
  return tr;
}

/** Operators only; the first answer comes with the first refresh. */
function renderWorkers(found, known) {
  if (!workers || !found) return;
  const names = workers.dataset.workers.split(" ");
  const rows = found.map((worker) => {
    const tr = row(worker, OF_WORKER, names);
    tr.dataset.level = worker.level;
    return tr;
  });
  workers.querySelector("tbody").replaceChildren(...rows);
  workers.hidden = found.length === 0;
  page.querySelector("[data-no-workers]").hidden = found.length > 0 || !known;
}

function render({ sessions, workers: found }, known = true) {
  trouble.hidden = true;
  renderWorkers(found, known);
  body.replaceChildren(...sessions.map((session) => row(session, TEXTS, columns)));
  page.querySelector("[data-none]").hidden = sessions.length > 0;
  page.querySelector("[data-table]").hidden = sessions.length === 0;
  page.querySelector("[data-count]").textContent = sessions.length;
}

render(JSON.parse(document.getElementById("live-now").textContent), false);
poll(page.dataset.live, 2000, { onData: render, onTrouble: () => { trouble.hidden = false; } });
