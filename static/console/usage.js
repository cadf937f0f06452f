/** The usage page: minutes of each day, voice and chat on top of one another. */
import { chart } from './uplot_chart.js';

const { days, voice, chat } = JSON.parse(document.getElementById('usage-days').textContent);
const dayOf = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

chart(document.querySelector('[data-usage-chart]'), {
  labels: days.map((day) => dayOf.format(new Date(day))),
  naming: 'Day',
  series: [
    { label: 'Voice', values: voice, colour: '--accent' },
    { label: 'Chat', values: chat, colour: '--warm' },
  ],
  unit: 'min',
  stacked: true,
});
