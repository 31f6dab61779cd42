import type { Filters } from './filters.ts';
import { type Filter, type MessageLog, toTest } from './message-log.ts';
import type { Model } from './model.ts';
import type { Notices } from './notices.ts';
import type { Message } from './rows.ts';

/** Messages after the one that a link names, shown above it so that it has its surroundings. */
const messagesAfter = 5;

/** A page that was on its way for another filter is waited for first. */
const pagesTried = 3;

/** Follows links of the form `#message-123`, wherever in the log the message stands. */
export function createMessageLinks(
  parts: Readonly<{
    log: MessageLog;
    model: Model;
    filters: Filters;
    notices: Notices;
    load: () => Promise<void>;
    reveal: (message: Message) => HTMLElement | undefined;
  }>,
) {
  const { log, model, filters, notices } = parts;

  async function follow(): Promise<void> {
    const id = Number(/^#message-(\d{1,15})$/.exec(location.hash)?.[1]);
    if (!(id > 0)) return;
    if (id > model.lastMessageId()) return notices.say(`There is no message #${id} yet.`, 'failed');
    const before = filters.read();
    await bringIn(id);
    const message = log.get(id);
    const element = message && parts.reveal(message);
    if (!element) return giveUp(id, before);
    element.scrollIntoView({ block: 'center' });
    element.focus({ preventScroll: true });
    element.classList.add('is-target');
    element.addEventListener('blur', () => element.classList.remove('is-target'), { once: true });
  }

  /** Ids have no gaps: what is missing where everything was read is not kept any more. */
  function giveUp(id: number, before: Filter): void {
    const wasPruned = id >= log.floorOf(filters.read());
    filters.change(before);
    const reason = wasPruned ? 'was pruned: the bus does not keep it any more' : 'could not be found';
    notices.say(`Message #${id} ${reason}.`, 'failed');
  }

  /** Takes away the filters that hide the message, and goes to its place in the log when it is not loaded. */
  async function bringIn(id: number): Promise<void> {
    const message = log.get(id);
    const filter = filters.read();
    if (message && id >= log.floorOf(filter) && toTest(filter)(message)) return;
    const everything = { topic: '', sender: '', words: '' };
    if (id >= log.floorOf(everything)) return filters.change({ ...everything, until: undefined });
    const place = { ...everything, until: Math.min(id + messagesAfter, model.lastMessageId()) };
    filters.change(place);
    for (let count = 0; count < pagesTried && id < log.floorOf(place); count += 1) await parts.load();
  }

  window.addEventListener('hashchange', () => void follow());
  // The browser tells of no change when the address names that message already.
  document.addEventListener('click', ({ target }) => {
    const link = target instanceof Element ? target.closest('a') : null;
    if (link?.hash === location.hash) void follow();
  });
  return { follow };
}
