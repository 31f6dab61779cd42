import type { Bus, Input, Output } from '../contract/contract.ts';
import type { Progress } from './progress.ts';

export type PruneBounds = Pick<Input<'pruneMessages'>, 'before' | 'keep' | 'include_flags'>;

export type Pruned = Readonly<{
  messages: number;
  events: number;
  oldestId: number;
  /** The message whose open flag keeps it and everything after it. */
  heldBackBy?: number | undefined;
}>;

/** Prunes in many small calls, so that the bus serves others in between. */
export async function prune(
  bus: Pick<Bus, 'pruneMessages'>,
  bounds: PruneBounds,
  { progress, total }: Readonly<{ progress: Progress; total?: number | undefined }>,
): Promise<Pruned> {
  let [messages, events] = [0, 0];
  for (;;) {
    const answer: Output<'pruneMessages'> = await bus.pruneMessages(bounds);
    messages += answer.pruned_messages;
    events += answer.pruned_events;
    progress.report('pruning messages', messages, total);
    if (!answer.has_more) {
      progress.end();
      return { messages, events, oldestId: answer.oldest_id, heldBackBy: answer.held_back_by };
    }
  }
}

export type PruneForecast = Pruned & Readonly<{ hasMore: boolean }>;

/** What pruning would remove, as far as the bus counts in one call. */
export async function forecastPrune(
  bus: Pick<Bus, 'pruneMessages'>,
  bounds: PruneBounds,
): Promise<PruneForecast> {
  const answer: Output<'pruneMessages'> = await bus.pruneMessages({ ...bounds, dry_run: true });
  return {
    messages: answer.pruned_messages,
    events: answer.pruned_events,
    oldestId: answer.oldest_id,
    heldBackBy: answer.held_back_by,
    hasMore: answer.has_more,
  };
}
