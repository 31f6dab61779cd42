import type { Output, ParsedInput } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { toEvent } from './answers.ts';
import { createSharedReads, cutPage, readOrWait } from './pages.ts';
import type { EngineParts, Handlers } from './parts.ts';
import { toCursorExpired } from './refusals.ts';

/** The change feed: everything that happened. */
export function createEventHandlers({ store, waiting, seats }: EngineParts): Pick<Handlers, 'readEvents'> {
  const shared = createSharedReads({ parts: { store, waiting }, toCharacters: toPageCharacters });

  async function readPage({ since, limit }: ParsedInput<'readEvents'>): Promise<Output<'readEvents'>> {
    const asked = store.readEvents({ sinceId: since, limit: limit + 1, bytesMax: limits.pageBytesMax });
    const [rows, counted] = await Promise.all([asked, since > 0 ? store.readCountersNow() : undefined]);
    if (counted && since < counted.pruned.eventId)
      throw toCursorExpired(since, counted.pruned.eventId, 'since');
    // The log never had such an event, so the cursor belongs to another log and its reader has read nothing of this
    // one.
    if (counted && since > counted.lastEventId)
      return { events: [], cursor: 0, has_more: counted.lastEventId > 0 };
    const { page, hasMore } = cutPage(rows, limit, ({ message }) => message?.body);
    return { events: page.map(toEvent), cursor: page.at(-1)?.id ?? since, has_more: hasMore };
  }

  const readEvents: Handlers['readEvents'] = (input, call) =>
    readOrWait({
      read: () => shared.read(`${input.since}:${input.limit}`, () => readPage(input)),
      isEmpty: ({ events, cursor }) => events.length === 0 && cursor === input.since,
      takeBell: waiting.onEvents,
      seats: seats.readers,
      clock: store.clock,
      waitSeconds: input.wait_s,
      call,
    });

  return { readEvents };
}

function toPageCharacters({ events }: Output<'readEvents'>): number {
  return events.reduce((sum, { message }) => sum + (message?.body.length ?? 0), 0);
}
