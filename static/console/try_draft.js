/** The assistant's form: the widget beside it, answered by the draft as it was saved last. */
import { TalkProblem } from '../sdk/problems.js';
import '../widget/element.js';

const place = document.querySelector('[data-try]');
const csrf = document.querySelector('[name="csrfmiddlewaretoken"]').value;

async function token() {
  const answer = await fetch(place.dataset.try, { method: 'POST', headers: { 'X-CSRFToken': csrf } }).catch((error) => {
    throw new TalkProblem('offline', { text: String(error) });
  });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new TalkProblem('not_live', { text: body.detail });
  return body;
}

const widget = /** @type {import('../widget/element.js').Widget} */ (document.createElement('goassist-widget'));
widget.embed = token;
widget.className = 'go-try';
widget.setAttribute('assistant', place.dataset.assistant);
widget.setAttribute('language', 'en');
widget.setAttribute('label', 'Talk with this draft');
widget.setAttribute('theme', document.documentElement.classList.contains('dark') ? 'dark' : 'light');
widget.setAttribute('consent', 'The draft answers as it was saved last. This talk counts as a session.');
document.body.append(widget);
