import { type BusError, toBusError } from '../contract/errors.ts';
import type { Clock } from '../store/clock.ts';
import type { EventRow } from '../store/rows.ts';

/** Why a wait ended: something arrived, or the time is over. */
type WaitEnd = 'rung' | 'time';

/** A place in the list of waiters. Whoever takes one must leave it. */
export type Bell = Readonly<{
  rung: (until: number, signal: AbortSignal | undefined) => Promise<WaitEnd>;
  leave: () => void;
}>;

export type Waiting = Readonly<{
  /** Rings on posts to this topic. */
  onTopic: (topic: string) => Bell;
  /** Rings on every post. */
  onMessages: () => Bell;
  /** Rings on every event. */
  onEvents: () => Bell;
  /** Rings when this ticket was served; the event says how. */
  onTicket: (ticket: string) => Bell & Readonly<{ served: () => EventRow | undefined }>;
  ring: (events: readonly EventRow[]) => void;
  /** Ends the wait of this ticket if it waits in this process. */
  refuse: (ticket: string, refusal: BusError) => void;
  /** Rings every bell, after a change without an event. */
  ringAll: () => void;
  /** How many commits have rung bells. */
  generation: () => number;
  /** Ends every wait with the refusal `unavailable`. */
  close: () => void;
  isClosed: () => boolean;
}>;

type Ringer = { ring: (event?: EventRow) => void; end: (reason: unknown) => void };

/**
 * Knows who waits in this process, and for what. Nobody polls: a commit rings the bells it concerns, and no others.
 */
export function createWaiting(clock: Clock): Waiting {
  const places = new Map<string, Set<Ringer>>();
  let generation = 0;
  /** Why waiting is no longer possible. */
  let closedBecause: unknown;

  function place(name: string, onRing: (event?: EventRow) => void = () => {}): Bell {
    let isRung = false;
    let failure = closedBecause;
    let wake = () => {};
    const ringer: Ringer = {
      ring: (event) => {
        isRung = true;
        onRing(event);
        wake();
      },
      end: (reason) => {
        failure = reason;
        wake();
      },
    };
    const others = places.get(name) ?? new Set();
    places.set(name, others.add(ringer));

    async function rung(until: number, signal: AbortSignal | undefined): Promise<WaitEnd> {
      await new Promise<void>((resolve) => {
        if (isRung || failure || signal?.aborted) return resolve();
        const callOff = clock.schedule(until, () => wake());
        const end = () => {
          callOff();
          signal?.removeEventListener('abort', end);
          resolve();
        };
        signal?.addEventListener('abort', end, { once: true });
        wake = end;
      });
      if (failure) throw failure;
      if (isRung) return 'rung';
      signal?.throwIfAborted();
      return 'time';
    }

    function leave(): void {
      others.delete(ringer);
      if (others.size === 0 && places.get(name) === others) places.delete(name);
    }

    return { rung, leave };
  }

  function ring(events: readonly EventRow[]): void {
    generation += 1;
    for (const event of events) {
      for (const name of placesConcerned(event)) {
        for (const ringer of places.get(name) ?? []) ringer.ring(event);
      }
    }
  }

  function refuse(ticket: string, refusal: BusError): void {
    for (const ringer of places.get(`ticket:${ticket}`) ?? []) ringer.end(refusal);
  }

  function ringAll(): void {
    generation += 1;
    for (const others of places.values()) for (const ringer of others) ringer.ring();
  }

  function close(): void {
    const detail = 'the bus is shutting down; nothing was kept: repeat the call in 1 s';
    closedBecause = toBusError('unavailable', detail, { retry_after_s: 1 });
    for (const others of places.values()) for (const ringer of others) ringer.end(closedBecause);
  }

  function onTicket(ticket: string) {
    let event: EventRow | undefined;
    const bell = place(`ticket:${ticket}`, (serving) => {
      event = serving;
    });
    return { ...bell, served: () => event };
  }

  return {
    onTopic: (topic) => place(`topic:${topic}`),
    onMessages: () => place('messages'),
    onEvents: () => place('events'),
    onTicket,
    ring,
    refuse,
    ringAll,
    generation: () => generation,
    close,
    isClosed: () => closedBecause !== undefined,
  };
}

function placesConcerned(event: EventRow): string[] {
  const names = ['events'];
  if (event.kind === 'message_posted') names.push('messages', `topic:${event.message?.topic}`);
  const { ticket, renewed = [] } = event.detail ?? {};
  if (ticket !== undefined) names.push(`ticket:${ticket}`);
  for (const other of renewed) names.push(`ticket:${other.ticket}`);
  return names;
}
