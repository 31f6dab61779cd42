import { type Api, RefusedError } from './api.ts';
import type { ServerClock } from './clock.ts';
import { createHistory } from './history.ts';
import { everyPart, type Model, type Part } from './model.ts';
import { createRefresher } from './refresher.ts';
import type { BusEvent, Status } from './rows.ts';
import { isOutOfSight, onceOutOfSight, untilSeenOrAfter } from './sight.ts';
import { followEvents } from './stream.ts';

export type ConnectionState =
  | Readonly<{ kind: 'connecting' | 'live' | 'resting' }>
  | Readonly<{ kind: 'away'; reason: string; retryAt: number; retry: () => void }>;

export type Connection = Readonly<{
  /** Asks for the status soon: something happened that no event tells. */
  refreshSoon: () => void;
}>;

const messagesFirst = 100;
const messagesKeptMax = 20_000;
/** A stream that breaks off sooner than this counts as one more failure. */
const steadyMilliseconds = 5_000;
const restingMilliseconds = 5_000;

/**
 * Keeps the model as the bus is: status, then events, and from the start again when the connection breaks.
 *
 * A browser opens six connections to one bus at most, for all its tabs together, and a stream takes one for good. So a
 * tab that nobody sees lets go of its stream, and asks for the status now and then for its title and icon.
 */
export function startConnection(
  parts: Readonly<{
    api: Api;
    model: Model;
    clock: ServerClock;
    paint: (dirty: Iterable<Part>) => void;
    onState: (state: ConnectionState) => void;
    /** Messages far down the log are forgotten only while nobody looks at them. */
    mayTrim: () => boolean;
  }>,
): Connection {
  const { api, model, clock, paint, onState } = parts;
  let failures = 0;
  const refresher = createRefresher({ api, model, clock, paint, take });
  const history = createHistory({ api, model, now: clock.now, onPage: () => paint(['lanes', 'agents']) });

  async function run(): Promise<never> {
    for (;;) {
      const stop = new AbortController();
      const reason = await rest()
        .then(() => follow(stop))
        .catch(toReason);
      stop.abort();
      refresher.pause();
      if (reason === undefined) continue;
      clock.stop();
      await pauseAfter(reason);
      failures += 1;
    }
  }

  function toReason(error: Error): string {
    // What came after the cursor was pruned: start over with what is kept.
    if (error instanceof RefusedError && error.status === 410) model.restartAt(0);
    return error.message;
  }

  /** Goes on for as long as nobody sees the page. */
  async function rest(): Promise<void> {
    while (isOutOfSight()) {
      look(await api.getStatus());
      failures = 0;
      onState({ kind: 'resting' });
      paint(['header', 'flags']);
      await untilSeenOrAfter(restingMilliseconds);
    }
  }

  /**
   * Answers why it ended, once it was live, or nothing when nobody sees the page any more; rejects when it never came
   * so far.
   */
  async function follow(stop: AbortController): Promise<string | undefined> {
    await begin(stop.signal);
    const stream = await api.openEvents(model.cursor(), stop.signal);
    const openedAt = performance.now();
    onState({ kind: 'live' });
    refresher.goOn(stop);
    history.load().catch(() => {});
    let isSeen = true;
    onceOutOfSight(() => {
      isSeen = false;
      stop.abort();
    }, stop.signal);
    await followEvents(stream, { onEvents: take, onHint: refresher.refreshNow }).catch(() => {});
    if (performance.now() - openedAt > steadyMilliseconds) failures = 0;
    return isSeen ? 'The connection to the bus broke.' : undefined;
  }

  function look(status: Status): void {
    if (model.isApart(status)) model.restartAt(status._meta.last_event_id);
    model.takeStatus(status);
  }

  async function begin(signal: AbortSignal): Promise<void> {
    look(await api.getStatus(signal));
    const everything = { topic: '', sender: '', words: '' };
    if (model.log.floorOf(everything) === Number.POSITIVE_INFINITY) {
      const page = await api.readMessages({ limit: messagesFirst });
      model.takeMessages(page);
      model.log.setFloor(everything, page.has_more ? (page.messages.at(-1)?.id ?? 1) : 1);
    }
    paint(everyPart);
  }

  function take(events: readonly BusEvent[]): void {
    const dirty = model.takeEvents(events);
    if (dirty.has('lanes')) refresher.refreshSoon();
    if (parts.mayTrim() && model.log.trim(messagesKeptMax)) dirty.add('messages');
    paint(dirty);
  }

  /** Longer each time, and not at the same moment as every other page that lost the bus. */
  async function pauseAfter(reason: string): Promise<void> {
    const milliseconds = Math.min(10_000, 250 * 2 ** failures) * (0.8 + Math.random() * 0.4);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(retry, milliseconds);
      function retry(): void {
        clearTimeout(timer);
        window.removeEventListener('online', retry);
        document.removeEventListener('visibilitychange', retry);
        resolve();
      }
      window.addEventListener('online', retry);
      document.addEventListener('visibilitychange', retry);
      onState({ kind: 'away', reason, retryAt: performance.now() + milliseconds, retry });
    });
  }

  void run();
  return { refreshSoon: refresher.refreshSoon };
}
