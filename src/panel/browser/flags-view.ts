import { makeActionButton } from './action-button.ts';
import type { Actions } from './actions.ts';
import type { ServerClock } from './clock.ts';
import { make, part, setShown, setText } from './dom.ts';
import { makeWhen, makeWho, setWhen } from './message-parts.ts';
import { createMessageText } from './message-text.ts';
import type { Model } from './model.ts';
import type { Message } from './rows.ts';

/** Of many flags the newest, so that the lanes below stay in sight. */
const flagsAtFirst = 5;

type FlagRow = Readonly<{ element: HTMLElement; setNow: (now: number) => void }>;

/** The flagged messages that nobody has acknowledged, newest first. */
export function createFlagsView({
  model,
  clock,
  actions,
}: Readonly<{ model: Model; clock: ServerClock; actions: Actions }>) {
  const list = part('flag-list');
  const rows = new Map<string, FlagRow>();
  const all = part('flags-all');
  let isWhole = false;

  all.addEventListener('click', () => {
    isWhole = !isWhole;
    paint();
  });

  function paint(): void {
    const listed = model.flags();
    const flags = isWhole ? listed : listed.slice(0, flagsAtFirst);
    const wanted = new Set(flags.map(toKey));
    for (const [key, { element }] of rows) {
      if (wanted.has(key)) continue;
      keepFocusNear(element);
      element.remove();
      rows.delete(key);
    }
    let next = list.firstElementChild;
    for (const message of flags) {
      const row = rows.get(toKey(message)) ?? addRow(message);
      if (row.element === next) next = next.nextElementSibling;
      else list.insertBefore(row.element, next);
    }
    paintMore(listed.length);
    setShown(part('flags-empty'), flags.length === 0);
    // Whoever acknowledges or releases says who they are.
    const hasOrphans = model.lanes.counts().orphaned > 0;
    setShown(part('person-field'), flags.length > 0 || hasOrphans);
    part('flags').classList.toggle('is-none', flags.length === 0);
    tick();
  }

  function paintMore(listedCount: number): void {
    const count = model.flagCount();
    const left = count - listedCount;
    const whole = left > 0 ? `Show the newest ${listedCount} of ${count}` : `Show all ${listedCount}`;
    setShown(all, listedCount > flagsAtFirst);
    setText(all, isWhole ? 'Show fewer' : whole);
    const isTold = left > 0 && (isWhole || listedCount <= flagsAtFirst);
    setText(part('flags-more'), isTold ? `${left} older ones follow when these are acknowledged.` : '');
  }

  function addRow(message: Message): FlagRow {
    const when = makeWhen(message);
    const button = makeActionButton({
      text: 'Acknowledge',
      label: `Acknowledge message #${message.id}`,
      className: 'primary',
      action: () => actions.acknowledge(message),
    });
    const element = make(
      'li',
      { class: 'flag', id: `flag-${message.id}` },
      make('div', { class: 'message-head' }, makeWho(message), when),
      createMessageText(message.body),
      button,
    );
    const row: FlagRow = { element, setNow: (now) => setWhen(when, now) };
    rows.set(toKey(message), row);
    return row;
  }

  function tick(): void {
    const now = clock.now();
    for (const { setNow } of rows.values()) setNow(now);
  }

  return { paint, tick };
}

/** Another bus at the same address starts its ids over. */
function toKey({ id, ts }: Message): string {
  return `${id} ${ts}`;
}

/** A flag that leaves with the focus in it hands it to the next one, so that the keyboard does not fall off the page. */
function keepFocusNear(element: Element): void {
  if (!element.contains(document.activeElement)) return;
  const neighbour = element.nextElementSibling ?? element.previousElementSibling;
  (neighbour?.querySelector<HTMLElement>('button.primary') ?? part('flags')).focus();
}
