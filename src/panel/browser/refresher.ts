import type { Api } from './api.ts';
import type { ServerClock } from './clock.ts';
import { nextExpiry } from './lanes.ts';
import type { Model, Part } from './model.ts';
import type { BusEvent } from './rows.ts';
import { isOutOfSight } from './sight.ts';

const everyMilliseconds = 3_000;
const soonMilliseconds = 400;
const eventsAtOnce = 500;

/**
 * Asks for the status when the stream hints that something changed which is no event: a lease was renewed, or somebody
 * waits. Hints do not tell of everything, such as what another process of the bus did, so it is also asked for soon
 * after a lane changed hands, and every few seconds while somebody looks.
 */
export function createRefresher(
  parts: Readonly<{
    api: Api;
    model: Model;
    clock: ServerClock;
    paint: (dirty: Iterable<Part>) => void;
    take: (events: readonly BusEvent[]) => void;
  }>,
) {
  const { api, model, clock } = parts;
  /** The connection that is live now, ended when the bus does not answer any more. */
  let connection: AbortController | undefined;
  let isAsking = false;
  /** Something changed while an answer was under way that may be too old to show it. */
  let isAskedAgain = false;
  let wasBehind = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const asked = connection;
    isAskedAgain = isAsking;
    if (!asked || isAsking || isOutOfSight()) return;
    isAsking = true;
    try {
      const status = await api.getStatus(asked.signal);
      if (connection !== asked) return;
      // Another bus answers at this address now, or much did not come through the stream.
      if (model.isApart(status)) return asked.abort();
      model.takeStatus(status);
      parts.paint(['header', 'flags', 'lanes', 'agents']);
      await readWhatIsHeldUp(status._meta.last_event_id);
    } catch {
      asked.abort();
    } finally {
      isAsking = false;
      if (isAskedAgain) void refresh();
      refreshAtExpiry();
    }
  }

  /** What stands between here and the bus may hold the stream up. */
  async function readWhatIsHeldUp(lastEventId: number): Promise<void> {
    const isBehind = lastEventId > model.cursor();
    if (isBehind && wasBehind)
      parts.take((await api.readEvents({ since: model.cursor(), limit: eventsAtOnce })).events);
    wasBehind = isBehind;
  }

  function refreshIn(milliseconds: number): void {
    timer ??= setTimeout(refresh, milliseconds);
  }

  /** Whether a lease ran out is the bus's to say, so it is asked right then. */
  function refreshAtExpiry(): void {
    const milliseconds = nextExpiry(model.lanes.all()) - clock.now();
    if (milliseconds > 0 && milliseconds < everyMilliseconds) refreshIn(milliseconds + 10);
  }

  setInterval(refresh, everyMilliseconds);
  document.addEventListener('visibilitychange', () => void refresh());

  return {
    goOn(live: AbortController): void {
      connection = live;
    },
    pause(): void {
      connection = undefined;
    },
    refreshNow: () => void refresh(),
    refreshSoon: () => refreshIn(soonMilliseconds),
  };
}
