import { equal, ok, test } from './harness.js';

/** uPlot is a classic script; the tokens are the page's style sheet. */
async function prepared() {
  const here = (tag, fields) => new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement(tag), { onload: done, onerror: failed, ...fields }));
  });
  if (!window.uPlot) {
    await here('script', { src: '/static/vendor/uplot/uPlot.iife.min.js' });
    await here('link', { rel: 'stylesheet', href: '/static/vendor/uplot/uPlot.min.css' });
    await here('link', { rel: 'stylesheet', href: '/static/css/tokens.css' });
  }
  return import('/static/console/uplot_chart.js');
}

function place(width = 400) {
  const div = document.createElement('div');
  div.style.width = `${width}px`;
  document.body.replaceChildren(div);
  return div;
}

const DAYS = {
  labels: ['Nov 1', 'Nov 2', 'Nov 3'],
  naming: 'Day',
  unit: 'min',
  stacked: true,
  series: [{ label: 'Voice', values: [10, 0, 30], colour: '--accent' }, { label: 'Chat', values: [5, 0, 0], colour: '--warm' }],
};

const settled = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))));

/** Which of the tokens' colours are on the canvas, and how much of each. */
function painted(div, ...tokens) {
  const canvas = div.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const colour = `#${[data[i], data[i + 1], data[i + 2]].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const style = getComputedStyle(document.documentElement);
  return tokens.map((name) => counts.get(style.getPropertyValue(name).trim()) ?? 0);
}

test('stacked bars are as tall as what they stand for', async () => {
  const { chart } = await prepared();
  const div = place();
  chart(div, DAYS);
  await settled();
  const [voice, chat] = painted(div, '--accent', '--warm');
  ok(chat > 0, 'no chat');
  ok(Math.abs(voice / chat - 40 / 5) < 1.5, `${voice} to ${chat}`);
  equal([...div.querySelectorAll('.u-series .u-label')].map((label) => label.textContent), ['Day', 'Chat', 'Voice']);
});

test('a chart follows the console from light to dark', async () => {
  const { chart } = await prepared();
  const div = place();
  document.documentElement.classList.remove('dark');
  chart(div, DAYS);
  await settled();
  const light = getComputedStyle(document.documentElement).getPropertyValue('--accent');
  document.documentElement.classList.add('dark');
  await settled();
  ok(getComputedStyle(document.documentElement).getPropertyValue('--accent') !== light, 'the same colour');
  ok(painted(div, '--accent')[0] > 0, 'not drawn in it');
  equal(div.querySelectorAll('canvas').length, 1);
  document.documentElement.classList.remove('dark');
  await settled();
});

test('a chart takes the width of its place', async () => {
  const { chart } = await prepared();
  const div = place(500);
  chart(div, DAYS);
  await settled();
  div.style.width = '250px';
  await settled();
  await settled();
  equal(div.querySelector('.u-wrap').offsetWidth, 250);
});

test('other figures are drawn in the same place, and none are no error', async () => {
  const { chart } = await prepared();
  const div = place();
  const show = chart(div, DAYS);
  show({ labels: [], series: [{ label: 'Voice', values: [], colour: '--accent' }] });
  await settled();
  equal(painted(div, '--accent'), [0]);
  show({ kind: 'line', stacked: false, labels: ['a', 'b'], series: [{ label: 'Voice', values: [1, null], colour: '--accent' }] });
  show({ kind: 'line', stacked: false, labels: ['a', 'b'], series: [{ label: 'Voice', values: [1, 2], colour: '--accent' }] });
  await settled();
  ok(painted(div, '--accent')[0] > 0);
  equal(div.querySelectorAll('canvas').length, 1);
});
