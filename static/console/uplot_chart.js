/**
 * Charts of the console, drawn by uPlot (static/vendor/uplot, a classic script: `window.uPlot`) in the colours of
 * css/tokens.css. They follow the console's light and dark, and the width of their place.
 */

const root = document.documentElement;
const FONT = '12px Inter, system-ui, sans-serif';
const HEIGHT_PX = 240;
/** Steps of an axis that counts things which cannot be halved. */
const WHOLE = [1, 2, 5, 7, 10, 20, 50, 100, 200, 500, 1000];

const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();

/** unfold says `dark` by a class, tokens.css goes by an attribute. */
function followConsole() {
  root.dataset.theme = root.classList.contains('dark') ? 'dark' : 'light';
}

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {(number|null)[]} values one for each label of the x axis
 * @property {string} colour a name in tokens.css: `--accent`
 */

/** Values as they are drawn: of stacked bars the sum of this and those before it, the tallest first. */
function layers(series, stacked) {
  if (!stacked) return series.map((one) => ({ ...one, drawn: one.values }));
  const sums = series[0].values.map(() => 0);
  return series.map((one) => ({ ...one, drawn: one.values.map((value, i) => (sums[i] += value ?? 0)) })).reverse();
}

function axis(more) {
  const stroke = token('--ink-soft');
  const lines = { stroke: token('--line'), width: 1 };
  return { stroke, font: FONT, ticks: lines, ...more, grid: { ...lines, show: more.gridded } };
}

function options(place, layered, { labels, naming, unit, kind, height, most }) {
  const { paths } = window.uPlot;
  const format = (value) => (value == null ? '–' : `${value} ${unit}`);
  return {
    width: place.clientWidth,
    height,
    cursor: { y: false, points: { show: kind === 'line' } },
    scales: { x: { time: false, range: [-0.5, labels.length - 0.5] }, y: { range: (u, low, high) => [0, most ?? (high > 0 ? high * 1.1 : 1)] } },
    axes: [
      axis({ incrs: WHOLE, values: (u, splits) => splits.map((i) => labels[i] ?? ''), gridded: false }),
      axis({ size: 64, ...(most ? { incrs: WHOLE, space: 16 } : {}), values: (u, splits) => splits.map((value) => `${value} ${unit}`), gridded: true }),
    ],
    series: [
      { label: naming, value: (u, i) => labels[i] ?? '–' },
      ...layered.map(({ label, values, colour }) => ({
        label,
        value: (u, raw, number, i) => (i == null ? '–' : format(values[i])),
        stroke: token(colour),
        fill: kind === 'bars' ? token(colour) : undefined,
        width: kind === 'bars' ? 0 : 2,
        points: { show: kind === 'line', size: 6, fill: token(colour) },
        paths: kind === 'bars' ? paths.bars({ size: [0.7, 32], radius: 0.12 }) : paths.linear(),
      })),
    ],
  };
}

/**
 * Draws into `place` and keeps it in shape.
 * @param {HTMLElement} place says in words what it shows (`role="img"`, `aria-label`); a table beside it has the figures
 * @param {{labels: string[], naming: string, series: Series[], unit: string, kind?: 'bars'|'line', stacked?: boolean,
 *   height?: number, most?: number}} wanted `most`: the scale's end, where figures have one. `naming`: what the labels of the x axis are, "Day"
 * @returns {(wanted: object) => void} draws other figures in the same place
 */
export function chart(place, wanted) {
  let now = wanted;
  let drawn = null;
  function draw() {
    followConsole();
    drawn?.destroy();
    const { series, labels, stacked = false, kind = 'bars', height = HEIGHT_PX } = now;
    const layered = layers(series, stacked);
    const data = [labels.map((_, i) => i), ...layered.map((one) => one.drawn)];
    drawn = new window.uPlot(options(place, layered, { ...now, kind, height }), data, place);
  }
  draw();
  new MutationObserver(draw).observe(root, { attributeFilter: ['class'] });
  new ResizeObserver(() => {
    if (place.clientWidth !== drawn.width) drawn.setSize({ width: place.clientWidth, height: drawn.height });
  }).observe(place);
  return (other) => {
    now = { ...now, ...other };
    draw();
  };
}
