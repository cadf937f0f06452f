/** The live sessions page: its table, drawn anew every two seconds. Texts only, never markup. */
import { poll } from "./poll.js";

const page = document.querySelector("[data-live]");
const body = page.querySelector("tbody");
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

function span(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

function cell(session, column) {
  const td = document.createElement("td");
  td.className = "go-number";
  td.textContent = TEXTS[column](session);
  return td;
}

function row(session) {
  const tr = document.createElement("tr");
  tr.append(...columns.map((column) => cell(session, column)));
  return tr;
}

function render({ sessions }) {
  trouble.hidden = true;
  body.replaceChildren(...sessions.map(row));
  page.querySelector("[data-none]").hidden = sessions.length > 0;
  page.querySelector("[data-table]").hidden = sessions.length === 0;
  page.querySelector("[data-count]").textContent = sessions.length;
}

render({ sessions: JSON.parse(document.getElementById("live-now").textContent) });
poll(page.dataset.live, 2000, { onData: render, onTrouble: () => { trouble.hidden = false; } });
