import type { Api } from './api.ts';
import type { ServerClock } from './clock.ts';
import { part } from './dom.ts';
import { createFeed } from './feed.ts';
import { createFilters } from './filters.ts';
import { createFreshButton } from './fresh-button.ts';
import { createMessageLinks } from './message-links.ts';
import { toPattern, toTest } from './message-log.ts';
import { createMessagesEnds } from './messages-ends.ts';
import type { Model } from './model.ts';
import type { Notices } from './notices.ts';
import { createOlderMessages } from './older-messages.ts';
import type { Message } from './rows.ts';

/** The log: live, filtered, and paged back as far as it goes. */
export function createMessagesView(
  parts: Readonly<{ api: Api; model: Model; clock: ServerClock; notices: Notices }>,
) {
  const { model, clock } = parts;
  const { log } = model;
  const filters = createFilters(onFilter);
  const feed = createFeed({ clock, onChoice: filters.change });
  const fresh = createFreshButton(part('feed'), goToNewest);
  const ends = createMessagesEnds({ log, filters });
  const older = createOlderMessages({ ...parts, filters, setBusy: feed.setBusy, onLoaded: paint });
  const links = createMessageLinks({
    ...parts,
    log,
    filters,
    load: older.load,
    reveal(message) {
      paint();
      return feed.reveal(message);
    },
  });
  let shown: readonly Message[] = [];
  let newestOffered = 0;
  let verdicts = new WeakMap<Message, boolean>();

  function paint(): void {
    // Nothing is known yet, which is not the same as nothing being there.
    if (!model.meta()) return;
    const newestBefore = shown[0]?.id ?? 0;
    shown = log.select(filters.read(), remember(toTest(filters.read())));
    filters.offer(log.all().filter(({ id }) => id > newestOffered));
    newestOffered = log.all()[0]?.id ?? 0;
    feed.show(shown);
    if (newestBefore > 0) fresh.add(shown.findIndex(({ id }) => id <= newestBefore));
    ends.paint(shown.length);
  }

  /** Each message is looked through once per filter, however often the list is painted. */
  function remember(isWanted: (message: Message) => boolean): (message: Message) => boolean {
    return (message) => {
      const known = verdicts.get(message);
      if (known !== undefined) return known;
      const verdict = isWanted(message);
      verdicts.set(message, verdict);
      return verdict;
    };
  }

  function onFilter(): void {
    const filter = filters.read();
    feed.mark(toPattern(filter.words));
    shown = [];
    verdicts = new WeakMap();
    fresh.clear();
    paint();
    const isUnknown = log.floorOf(filter) === Number.POSITIVE_INFINITY;
    if (isUnknown || (shown.length < 20 && older.isWorthLoading())) void older.load();
  }

  function goToNewest(): void {
    if (shown[0]) feed.reveal(shown[0])?.focus({ preventScroll: true });
  }

  return {
    paint,
    tick: feed.tick,
    follow: links.follow,
    showSender: (sender: string) => filters.change({ sender, topic: '', words: '', until: undefined }),
    isFarDown: () => fresh.isFarDown() || filters.read().until !== undefined,
  };
}
