/** The console's first page: figures and charts, drawn anew whenever the server tells. */
import { chart } from './uplot_chart.js';

const page = document.querySelector('[data-overview]');
const trouble = page.querySelector('[data-connection]');
const hourOf = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const CHARTS = {
  ttfa: { unit: 'ms', kind: 'line', series: [['p50', 'ttfa_p50', '--accent'], ['p95', 'ttfa_p95', '--warm']] },
  barge_in: { unit: 'ms', kind: 'line', series: [['p50', 'barge_in_p50', '--accent'], ['p95', 'barge_in_p95', '--warm']] },
  turns: { unit: '', kind: 'bars', series: [['Turns', 'turns', '--accent'], ['Interrupted', 'interrupted', '--warm']] },
  level: { unit: '', kind: 'bars', most: 5, series: [['Highest level, 0 to 5', 'level', '--warm']] },
  troubles: { unit: '', kind: 'bars', stacked: true, series: [['Errors', 'errors', '--bad'], ['Over budget', 'over_budget', '--warm']] },
};
const RETRY_MS = { first: 1000, longest: 30000 };
const FINAL = new Set([4401, 4403]);

function wanted(pulse, { series, ...more }) {
  const labels = pulse.hours.map((hour) => hourOf.format(new Date(hour)));
  const rounded = (values) => values.map((value) => (value == null ? null : Math.round(value)));
  return { ...more, labels, naming: 'From', height: 200, series: series.map(([label, name, colour]) => ({ label, values: rounded(pulse[name]), colour })) };
}

const first = JSON.parse(document.getElementById('overview-now').textContent);
const shown = Object.entries(CHARTS).filter(([name]) => page.querySelector(`[data-chart-of="${name}"]`));
const redraw = Object.fromEntries(shown.map(
  ([name, about]) => [name, chart(page.querySelector(`[data-chart-of="${name}"]`), wanted(first.pulse, about))],
));

function tile({ title, value, note }) {
  const [box, dt, dd, small] = ['div', 'dt', 'dd', 'small'].map((tag) => document.createElement(tag));
  box.className = 'go-tile';
  dt.textContent = title;
  dd.textContent = value;
  small.textContent = note ?? '';
  dd.append(small);
  box.append(dt, dd);
  return box;
}

function show({ figures, pulse }) {
  page.querySelector('[data-figures]').replaceChildren(...figures.map(tile));
  for (const [name, about] of shown) redraw[name](wanted(pulse, about));
}

function listen(waitMs) {
  const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/ws/v1/console/overview/`);
  let wait = waitMs;
  socket.onmessage = ({ data }) => {
    wait = RETRY_MS.first;
    trouble.hidden = true;
    show(JSON.parse(data));
    page.dataset.live = 'yes';
  };
  socket.onclose = ({ code }) => {
    trouble.hidden = false;
    if (!FINAL.has(code)) setTimeout(() => listen(Math.min(wait * 2, RETRY_MS.longest)), wait);
  };
}

show(first);
listen(RETRY_MS.first);
