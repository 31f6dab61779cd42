import { messageLists } from './followed.ts';
import type { Message, Status } from './rows.ts';

type ListName = keyof typeof messageLists;
const listNames = Object.keys(messageLists) as readonly ListName[];

/** These lists as of the last status, and after each message that came with an event since then. */
export function createMessageLists() {
  const rows = Object.fromEntries(listNames.map((name) => [name, new Map()])) as Rows;
  const leftOut = Object.fromEntries(listNames.map((name) => [name, 0])) as Record<ListName, number>;

  function takeStatus(status: Status): void {
    for (const name of listNames) {
      rows[name].clear();
      for (const message of status[name]) rows[name].set(message.id, message);
      leftOut[name] = Math.max(0, status._meta[messageLists[name].count] - rows[name].size);
    }
  }

  /** The message as it is now: it comes onto the lists where it belongs, and leaves the others. */
  function take(message: Message): void {
    for (const name of listNames) {
      if (messageLists[name].isListed(message)) rows[name].set(message.id, message);
      else rows[name].delete(message.id);
    }
  }

  return {
    takeStatus,
    take,
    /** Newest first. */
    all: (name: ListName): Message[] => [...rows[name].values()].sort((a, b) => b.id - a.id),
    /** With those that the status had no room for. */
    count: (name: ListName): number => rows[name].size + leftOut[name],
  };
}

type Rows = Record<ListName, Map<number, Message>>;
