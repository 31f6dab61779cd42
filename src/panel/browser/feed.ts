import type { ServerClock } from './clock.ts';
import { part } from './dom.ts';
import { createMessageCard } from './message-card.ts';
import type { Filter } from './message-log.ts';
import type { Message } from './rows.ts';
import { createWindowedList, type WindowedList } from './windowed-list.ts';

const messagesPerChunk = 40;

/** The cards of the messages, as many as there are, with the keys that readers of feeds know. */
export function createFeed(
  given: Readonly<{ clock: ServerClock; onChoice: (choice: Partial<Filter>) => void }>,
) {
  const host = part('feed');
  let pattern: RegExp | undefined;
  let list = createList();

  function createList(): WindowedList<Message> {
    return createWindowedList<Message>({
      host,
      keyOf: toKey,
      // By id and not by place, so that a new message moves none of the others to another chunk.
      chunkOf: ({ id }) => Math.floor(id / messagesPerChunk),
      toRow: (message) =>
        createMessageCard({
          message,
          now: given.clock.now,
          pattern,
          onTopic: (topic) => given.onChoice({ topic }),
          onSender: (sender) => given.onChoice({ sender }),
        }),
      heightGuessed: 84,
      setPlace: (element, index) => {
        element.setAttribute('aria-posinset', String(index + 1));
        element.setAttribute('aria-setsize', '-1');
      },
    });
  }

  host.addEventListener('keydown', moveBetweenMessages);

  return {
    show: (messages: readonly Message[]) => list.set(messages),
    tick: () => list.refresh(),
    /** The card of a message that is shown, wherever it stands. */
    reveal: (message: Message) => list.reveal(toKey(message)),
    /** What is marked in the bodies; that is decided when a card is made, so all are created again. */
    mark(next: RegExp | undefined): void {
      if (next?.source === pattern?.source) return;
      pattern = next;
      list.set([]);
      list = createList();
    },
    setBusy: (isBusy: boolean) => host.setAttribute('aria-busy', String(isBusy)),
  };
}

/** Another bus at the same address starts its ids over. */
function toKey({ id, ts }: Message): string {
  return `${id} ${ts}`;
}

function moveBetweenMessages(event: KeyboardEvent): void {
  const step = { PageDown: 1, PageUp: -1 }[event.key];
  const here = event.target instanceof Element ? event.target.closest('article') : null;
  if (!step || !here) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll('article')];
  const next = all[all.indexOf(here) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
