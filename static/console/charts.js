/** The charts of a soak run, drawn with the Chart.js that the console ships. */
const BLUE = "#2563eb", ORANGE = "#d97706", TEAL = "#0d9488", PURPLE = "#9333ea";

const CHARTS = {
  latency: {
    lines: [
      ["TTFA p95 at the caller", "ttfa_p95_ms", BLUE],
      ["TTFA p95, server", "server_ttfa_p95_ms", TEAL],
      ["Barge-in p95", "barge_in_p95_ms", ORANGE],
    ],
    limit: ["TTFA limit", 250],
    unit: "ms",
    top: 300,
  },
  memory: { lines: [["Memory", "memory_mb", PURPLE]], unit: "MB" },
  cpu: { lines: [["CPU", "cpu_percent", TEAL]], unit: "%, of one core" },
};

const minutes = (seconds) => Math.round(seconds / 0.6) / 100;

function dataset([label, field, color], points) {
  const data = points.map((p) => ({ x: minutes(p.t_s), y: p[field] ?? null }));
  const radius = data.length > 60 ? 0 : 2;
  return { label, data, borderColor: color, backgroundColor: color, borderWidth: 2, pointRadius: radius, spanGaps: true, tension: 0.2 };
}

function limitLine([label, value], points) {
  const end = points.length ? minutes(points.at(-1).t_s) : 1;
  const data = [{ x: 0, y: value }, { x: end, y: value }];
  return { label, data, borderColor: "#dc2626", backgroundColor: "#dc2626", borderWidth: 1, borderDash: [5, 4], pointRadius: 0 };
}

function datasets(kind, points) {
  const lines = kind.lines.map((line) => dataset(line, points));
  return kind.limit ? [...lines, limitLine(kind.limit, points)] : lines;
}

function options(kind, ink, grid) {
  const axis = (title) => ({ title: { display: true, text: title, color: ink }, ticks: { color: ink, maxTicksLimit: 8 }, grid: { color: grid }, beginAtZero: true });
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: false,
    normalized: true,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    scales: { x: { type: "linear", ...axis("minutes") }, y: { ...axis(kind.unit), suggestedMax: kind.top } },
    plugins: { legend: { display: kind.lines.length > 1, labels: { color: ink, boxWidth: 12, boxHeight: 2 } } },
  };
}

const dark = () => document.documentElement.classList.contains("dark");

/** Draws every `<canvas data-chart="...">` below `root`; returns a function that takes new points. */
export function charts(root) {
  const drawn = [...root.querySelectorAll("canvas[data-chart]")].map((canvas) => {
    const kind = CHARTS[canvas.dataset.chart];
    return { kind, chart: new window.Chart(canvas, { type: "line", data: { datasets: [] } }) };
  });
  let last = [];
  function show(points = last) {
    last = points;
    const [ink, grid] = dark() ? ["#a1a1aa", "#27272a"] : ["#52525b", "#e4e4e7"];
    for (const { kind, chart } of drawn) {
      chart.data.datasets = datasets(kind, points);
      chart.options = options(kind, ink, grid);
      chart.update("none");
    }
  }
  new MutationObserver(() => show()).observe(document.documentElement, { attributeFilter: ["class"] });
  return show;
}
