import type { Message } from './rows.ts';

/** Which messages are wanted. `until` looks at the log as it was at that message; without it the newest come in live. */
export type Filter = Readonly<{ topic: string; sender: string; words: string; until?: number | undefined }>;

export type MessageLog = ReturnType<typeof createMessageLog>;

/**
 * The messages loaded so far, newest first.
 *
 * Topics and places in the log are paged one by one, so what is loaded has holes. For each way of looking the log
 * knows down to which id nothing is missing, and shows no further than that.
 */
export function createMessageLog() {
  let messages: Message[] = [];
  const byId = new Map<number, Message>();
  const loadedDownTo = new Map<string, number>();

  /** Messages in any order; of those known already the newer version stays. */
  function add(more: readonly Message[]): void {
    const fresh = new Map<number, Message>();
    for (const message of more) {
      if (byId.has(message.id) && !fresh.has(message.id)) replace(message);
      else {
        byId.set(message.id, message);
        fresh.set(message.id, message);
      }
    }
    if (fresh.size === 0) return;
    const sorted = [...fresh.values()].sort((a, b) => b.id - a.id);
    const isNewer = (sorted.at(-1)?.id ?? 0) > (messages[0]?.id ?? 0);
    messages = isNewer ? sorted.concat(messages) : messages.concat(sorted).sort((a, b) => b.id - a.id);
  }

  function replace(message: Message): void {
    byId.set(message.id, message);
    messages[findPlace(messages, message.id)] = message;
  }

  function floorOf({ topic, until }: Filter): number {
    const whole = until === undefined ? Number.POSITIVE_INFINITY : until + 1;
    return Math.min(
      loadedDownTo.get(toKey(topic, until)) ?? whole,
      loadedDownTo.get(toKey('', until)) ?? whole,
    );
  }

  /** Forgets the oldest when more than so many are kept. */
  function trim(messagesMax: number): boolean {
    if (messages.length <= messagesMax) return false;
    for (const { id } of messages.splice(messagesMax)) byId.delete(id);
    const floor = messages.at(-1)?.id ?? 1;
    for (const [key, id] of loadedDownTo) loadedDownTo.set(key, Math.max(id, floor));
    return true;
  }

  return {
    add,
    trim,
    get: (id: number) => byId.get(id),
    count: () => messages.length,
    all: (): readonly Message[] => messages,
    /** Nothing of that topic is missing from here upwards; infinity when nothing was loaded yet. */
    floorOf,
    setFloor({ topic, until }: Filter, id: number): void {
      const key = toKey(topic, until);
      loadedDownTo.set(key, Math.min(id, loadedDownTo.get(key) ?? Number.POSITIVE_INFINITY));
    },
    select(filter: Filter, isWanted = toTest(filter)): Message[] {
      const floor = floorOf(filter);
      return messages.filter((message) => message.id >= floor && isWanted(message));
    },
    clear(): void {
      messages = [];
      byId.clear();
      loadedDownTo.clear();
    },
  };
}

/** Whether a message passes the filter, wherever it stands. */
export function toTest({ topic, sender, words, until }: Filter): (message: Message) => boolean {
  const pattern = toPattern(words);
  return (message) =>
    (until === undefined || message.id <= until) &&
    (topic === '' || message.topic === topic) &&
    (sender === '' || message.sender === sender) &&
    (!pattern ||
      pattern.test(message.body) ||
      pattern.test(message.topic) ||
      pattern.test(message.sender) ||
      words.trim() === `#${message.id}`);
}

/** The words as they stand, in any case. */
export function toPattern(words: string): RegExp | undefined {
  const wanted = words.trim();
  return wanted === '' ? undefined : new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu');
}

function toKey(topic: string, until: number | undefined): string {
  return `${until ?? ''} ${topic}`;
}

function findPlace(messages: readonly Message[], id: number): number {
  let low = 0;
  let high = messages.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle] as Message).id > id) low = middle + 1;
    else high = middle;
  }
  return low;
}
