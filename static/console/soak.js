/** A soak run's page: what changes while it goes. The report itself is drawn by the server, once it is there. */
import { charts } from "./charts.js";
import { poll } from "./poll.js";

const page = document.querySelector("[data-soak]");
const show = charts(page);
const first = JSON.parse(document.getElementById("soak-now").textContent);
const trouble = page.querySelector("[data-connection]");

const ms = (value) => (value == null ? "–" : `${Math.round(value)} ms`);
const TEXTS = {
  elapsed: (run) => clock(run.elapsed_s),
  asked: (run) => `of ${clock(run.minutes * 60)}`,
  live: (run) => run.progress.live ?? "–",
  turns: (run) => run.progress.turns ?? "–",
  warmup: (run) => `${run.progress.warmup_turns ?? "–"} of them warm-up`,
  failures: (run) => run.progress.failures ?? "–",
  waits: (run) => (run.progress.waits ? `${run.progress.waits} × told to wait for a seat` : "nobody had to wait"),
  ttfa50: (run) => `p50 ${ms(run.progress.ttfa_p50_ms)}`,
  ttfa95: (run) => ms(run.progress.ttfa_p95_ms),
  barge: (run) => ms(run.progress.barge_in_p95_ms),
  memory: (run) => (run.progress.memory_mb == null ? "–" : `${Math.round(run.progress.memory_mb)} MB`),
  cpu: (run) => (run.progress.cpu_percent == null ? "–" : `${Math.round(run.progress.cpu_percent)} %`),
  state: (run) => (run.stopping ? "stopping" : run.state),
};

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((n) => String(n).padStart(2, "0")).join(":");
}

function render(run) {
  for (const place of page.querySelectorAll("[data-now]")) place.textContent = TEXTS[place.dataset.now](run);
  const badge = page.querySelector("[data-now=state]");
  if (badge) badge.dataset.kind = TEXTS.state(run);
  const bar = page.querySelector("[data-bar]");
  if (bar) bar.style.width = `${Math.min(100, run.elapsed_s / (run.minutes * 0.6))}%`;
  show(run.series);
}

render(first);
if (first.going) {
  poll(page.dataset.soak, 1000, {
    onData(run) {
      trouble.hidden = true;
      if (run.going) render(run);
      else window.location.reload();
    },
    onTrouble() {
      trouble.hidden = false;
    },
  });
}
