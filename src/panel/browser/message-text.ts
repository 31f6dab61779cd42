import { toVisible } from '../visible.ts';
import { make } from './dom.ts';
import { toFolded } from './folding.ts';

/**
 * A body as text, whatever is in it. Of a long one only the beginning is in the document until somebody unfolds it:
 * 64 KB of one word cost the browser real time to lay out, and fifty of them would cost it the page.
 */
export function createMessageText(body: string, pattern?: RegExp): HTMLElement {
  const folded = toFolded(body);
  const text = make('div', { class: 'body', dir: 'auto' });
  showText(text, folded ?? body, pattern);
  if (folded === undefined) return text;
  const button = make('button', { type: 'button', class: 'quiet unfold', 'aria-expanded': 'false' });
  const size = new Intl.NumberFormat('en').format(body.length);
  let isFolded = true;

  function label(): void {
    button.textContent = isFolded ? `Show all ${size} characters` : 'Show less';
    button.setAttribute('aria-expanded', String(!isFolded));
    text.classList.toggle('is-folded', isFolded);
  }

  button.addEventListener('click', () => {
    isFolded = !isFolded;
    showText(text, isFolded ? folded : body, pattern);
    label();
  });
  label();
  return make('div', {}, text, button);
}

const marksMax = 50;

/** The text, with what was searched for marked in it. */
function showText(element: HTMLElement, text: string, pattern: RegExp | undefined): void {
  element.replaceChildren();
  let from = 0;
  const matches = pattern ? text.matchAll(new RegExp(pattern.source, 'giu')) : [];
  for (const match of matches) {
    if (element.childElementCount >= marksMax) break;
    element.append(toVisible(text.slice(from, match.index)), make('mark', {}, toVisible(match[0])));
    from = match.index + match[0].length;
  }
  element.append(toVisible(text.slice(from)));
}
