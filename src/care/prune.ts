import type { Bus, Output } from '../contract/contract.ts';
import type { Progress } from './progress.ts';

export type PruneBounds = Readonly<{ before?: string; keep?: number }>;
export type Pruned = Readonly<{ messages: number; events: number; oldestId: number }>;

/** Asks the bus again and again until all is gone that may go; others are served in between. */
export async function prune(
  bus: Pick<Bus, 'pruneMessages' | 'getBusStatus'>,
  bounds: PruneBounds,
  progress: Progress,
): Promise<Pruned> {
  const total = await estimate(bus, bounds);
  let [messages, events] = [0, 0];
  for (;;) {
    const answer: Output<'pruneMessages'> = await bus.pruneMessages(bounds);
    messages += answer.pruned_messages;
    events += answer.pruned_events;
    progress.report('pruning messages', messages, total);
    if (!answer.has_more) {
      progress.end();
      return { messages, events, oldestId: answer.oldest_id };
    }
  }
}

/** How many messages there are in a time is not counted anywhere. */
async function estimate(bus: Pick<Bus, 'getBusStatus'>, { keep }: PruneBounds): Promise<number | undefined> {
  if (keep === undefined) return undefined;
  const { _meta } = await bus.getBusStatus({});
  return Math.max(_meta.message_count - keep, 0);
}

/** `2026-01-31`, `2026-01-31T12:00:00Z`, or how long ago: `30d`, `12h`. Nothing for what is none of these. */
export function toTime(text: string, now: Date): string | undefined {
  const ago = /^(\d{1,6})([dhm])$/.exec(text);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * unitMilliseconds(ago[2])).toISOString();
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const hasZone = /T.*(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = new Date(isDay || hasZone ? text : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function unitMilliseconds(unit: string | undefined): number {
  if (unit === 'd') return 86_400_000;
  return unit === 'h' ? 3_600_000 : 60_000;
}
