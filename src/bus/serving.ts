import type { AnswerRow, NewEvent, Repeat, Waiter } from '../store/rows.ts';
import { toGrant } from './answers.ts';
import { decideClaim, decideNextHolder, type GrantDecision, type HeldRow, toChangeEvent } from './lanes.ts';
import type { Registry } from './registry.ts';
import { isSameRequest, toAnswerRow } from './repeats.ts';

/**
 * Gives what is free to those who wait for it. Where nobody waits with scopes, only the queue of the turn's own lane is
 * concerned. Returns the answers that are remembered for them; `asked` is the request that the turn itself is about.
 */
export function serveWaiters(registry: Registry, lane: string, asked?: Repeat): readonly AnswerRow[] {
  const line = registry.line();
  return line ? serveLine(registry, line, asked) : serveQueue(registry, lane, asked);
}

function serveQueue(registry: Registry, lane: string, asked: Repeat | undefined): readonly AnswerRow[] {
  const next = decideNextHolder(registry.state(lane), registry.now);
  if (!next) return [];
  const { served, event, queue } = next;
  const isAnswered = isSameRequest(served[0]?.waiter.repeat, asked);
  const told = isAnswered && event?.detail ? { ...event, detail: { ...event.detail, isAnswered } } : event;
  const remembered = served.flatMap((one) => toRemembered(one, registry.now));
  registry.change({
    lane: served.at(-1)?.row,
    queue: [lane, queue],
    events: told ? [told] : [],
    remembered,
  });
  return remembered;
}

/**
 * Goes through the line once, in the order in which the claims came. Each is decided as if it asked now, knowing who
 * came before and still waits: it is granted when nothing that it wants is held by another, and nobody before it wants
 * any of it. So a wide claim is not starved by narrow ones that come later, and a claim that wants other things does not
 * wait behind one that is blocked.
 *
 * One round is enough as long as it only grants: a grant takes things away, so it can only block those behind it, which
 * have not been looked at. A holder that waited for other scopes gives up the ones it had, so then there is another round.
 */
function serveLine(
  registry: Registry,
  line: readonly Waiter[],
  asked: Repeat | undefined,
): readonly AnswerRow[] {
  const { now } = registry;
  const all: AnswerRow[] = [];
  const blocked: Waiter[] = [];
  let isOver = true;
  // Whoever waits in a process that is away keeps a place and holds nobody up.
  for (const waiter of line.filter(({ isAway }) => !isAway)) {
    const state = registry.state(waiter.lane, blocked);
    const decided = decideClaim(state, waiter, now);
    if ('refused' in decided) {
      blocked.push(waiter);
      continue;
    }
    const { decision, row } = decided;
    if (decision === 'renew') isOver = false;
    const event = decided.event ?? toChangeEvent(row);
    const remembered = toRemembered({ waiter, decision, row }, now);
    all.push(...remembered);
    registry.change({
      lane: row,
      queue: [waiter.lane, state.queue.filter(({ ticket }) => ticket !== waiter.ticket)],
      events: [withTicket(event, waiter, isSameRequest(waiter.repeat, asked))],
      remembered,
    });
  }
  return isOver ? all : [...all, ...serveLine(registry, registry.line() ?? [], asked)];
}

/** Names the waiter, so that the process that holds its connection can answer it. */
function withTicket(event: NewEvent, { ticket }: Waiter, isAnswered: boolean): NewEvent {
  return { ...event, detail: { ...event.detail, ticket, ...(isAnswered && { isAnswered }) } };
}

function toRemembered(
  { waiter, decision, row }: Readonly<{ waiter: Waiter; decision: GrantDecision; row: HeldRow }>,
  now: number,
): readonly AnswerRow[] {
  return waiter.repeat ? [toAnswerRow(waiter.repeat, toGrant(decision, row, now), now)] : [];
}
