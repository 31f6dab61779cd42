import { toShortName, toVisibleName } from '../visible.ts';
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
  const topic = createNameField('filter-topic', 'topics', () => changed());
  const sender = createChoice('filter-sender');
  const words = part<HTMLInputElement>('filter-words');
  let until: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function changed(): void {
    clearTimeout(timer);
    onChange();
  }

  sender.element.addEventListener('change', changed);
  words.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(changed, typingMilliseconds);
  });
  part('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    changed();
  });

  return {
    read: () => ({ topic: topic.read(), sender: sender.read(), words: words.value, until }),
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
const namesMax = 1_000;
const shownCharactersMax = 60;

/** Offers names in their order, each once. */
function createOffer(place: (name: string, before: number) => void) {
  const names: string[] = [];
  const known = new Set<string>(['']);

  function add(name: string): void {
    if (known.has(name)) return;
    known.add(name);
    const found = names.findIndex((other) => other > name);
    const at = found < 0 ? names.length : found;
    names.splice(at, 0, name);
    place(name, at);
  }

  function offer(more: readonly string[]): void {
    for (const name of more) if (names.length < namesMax) add(name);
  }

  return { add, offer };
}

/** A menu of names, which grows with what is loaded. */
function createChoice(id: string) {
  const select = part<HTMLSelectElement>(id);
  const { add, offer } = createOffer((name, before) => {
    const option = make('option', { value: name }, toShortName(name, shownCharactersMax));
    select.insertBefore(option, select.options[before + 1] ?? null);
  });

  function choose(name: string): void {
    add(name);
    select.value = name;
  }

  return { element: select, read: () => select.value, offer, choose };
}

/** A field for any name, also of what is not loaded, that offers those of what is. */
function createNameField(id: string, listId: string, onChange: () => void) {
  const input = part<HTMLInputElement>(id);
  const list = part<HTMLDataListElement>(listId);
  /** What is shown has signs for what hides or turns text; the bus is asked for what is behind them. */
  const behind = new Map<string, string>();
  const { add, offer } = createOffer((name, before) => {
    const shown = toVisibleName(name);
    behind.set(shown, name);
    list.insertBefore(make('option', { value: shown }), list.options[before] ?? null);
  });

  input.addEventListener('change', onChange);
  // Chosen from the list, or cleared: there is nothing more to come.
  input.addEventListener('input', (event) => {
    const isTyped = event instanceof InputEvent && event.inputType !== 'insertReplacementText';
    if (!isTyped || input.value === '') onChange();
  });

  function choose(name: string): void {
    add(name);
    behind.set(toVisibleName(name), name);
    input.value = toVisibleName(name);
  }

  return { read: () => behind.get(input.value) ?? input.value, offer, choose };
}
