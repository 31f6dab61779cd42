import { toAge } from '../duration.ts';
import { toVisibleName } from '../visible.ts';
import { make, makePeerText, setText, toExactTime } from './dom.ts';
import { toHue } from './hues.ts';
import type { Message } from './rows.ts';

/** An owner or sender with the colour that is theirs on this page. */
export function makeAgent(name: string): HTMLElement {
  return make(
    'span',
    { class: 'agent', 'data-hue': toHue(name), title: toVisibleName(name) },
    makePeerText(name),
  );
}

/** Topic and sender of a message. */
export function makeWho({ topic, sender }: Message): HTMLElement {
  return make('span', { class: 'who' }, makePeerText(topic, 'topic'), ' ', makeAgent(sender));
}

/** The link to a message, with its age; the exact time shows on hover and focus. */
export function makeWhen({ id, ts }: Message): HTMLAnchorElement {
  const exact = toExactTime(ts);
  return make(
    'a',
    { class: 'when', href: `#message-${id}`, 'data-exact': exact },
    make('span', { class: 'number' }, `#${id}`),
    ' · ',
    make('time', { datetime: ts, title: exact }),
  );
}

export function setWhen(link: HTMLAnchorElement, now: number): void {
  const time = link.lastElementChild as HTMLTimeElement;
  setText(time, toAge((now - Date.parse(time.dateTime)) / 1000));
}
