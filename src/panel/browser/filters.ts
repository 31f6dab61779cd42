import { toVisibleLine } from '../visible.ts';
import { make, part } from './dom.ts';
import type { Filter } from './message-log.ts';
import type { Message } from './rows.ts';

export type Filters = Readonly<{
  read: () => Filter;
  /** Changes the form, and tells about it like a person's own change. */
  change: (next: Partial<Filter>) => void;
  /** Offers the topics and senders of these messages too. */
  offer: (messages: readonly Message[]) => void;
}>;

const typingMilliseconds = 150;

/** Which messages a person wants to see: topic, sender, words, and the place in the log. */
export function createFilters(onChange: () => void): Filters {
  const topic = createChoice('filter-topic');
  const sender = createChoice('filter-sender');
  const words = part<HTMLInputElement>('filter-words');
  let until: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function changed(): void {
    clearTimeout(timer);
    onChange();
  }

  topic.select.addEventListener('change', changed);
  sender.select.addEventListener('change', changed);
  words.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(changed, typingMilliseconds);
  });
  part('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    changed();
  });

  return {
    read: () => ({ topic: topic.select.value, sender: sender.select.value, words: words.value, until }),
    change(next) {
      if (next.topic !== undefined) topic.choose(next.topic);
      if (next.sender !== undefined) sender.choose(next.sender);
      if (next.words !== undefined) words.value = next.words;
      if ('until' in next) until = next.until;
      changed();
    },
    offer(messages) {
      topic.offer(messages.map((message) => message.topic));
      sender.offer(messages.map((message) => message.sender));
    },
  };
}

/** More names than this nobody finds anything among; a click on a message still chooses any of them. */
const optionsMax = 1_000;

/** A menu of names in their order, which grows with what is loaded. */
function createChoice(id: string) {
  const select = part<HTMLSelectElement>(id);
  const names: string[] = [];
  const known = new Set<string>(['']);

  function offer(more: readonly string[]): void {
    for (const name of more) if (!known.has(name) && names.length < optionsMax) add(name);
  }

  function add(name: string): void {
    known.add(name);
    const place = names.findIndex((other) => other > name);
    const at = place < 0 ? names.length : place;
    names.splice(at, 0, name);
    const option = make('option', { value: name }, toVisibleLine(name, 60));
    select.insertBefore(option, select.options[at + 1] ?? null);
  }

  function choose(name: string): void {
    if (!known.has(name)) add(name);
    select.value = name;
  }

  return { select, offer, choose };
}
