import { toCount } from '../care/check.ts';
import { forecastPrune, type PruneBounds, type Pruned, type PruneForecast, prune } from '../care/prune.ts';
import type { Invocation, OpenedBus } from '../cli/command.ts';
import { UsageError } from '../cli/config.ts';
import { canAsk, confirm } from '../cli/confirm.ts';
import { exitStatus } from '../cli/failure.ts';
import { parseTypedTime } from '../cli/typed-time.ts';
import { answer, toProgress } from './care-answers.ts';

/** Removes what the flags select. On a terminal it first says what will be removed, and asks. */
export async function runPrune(invocation: Invocation): Promise<number> {
  const { actions, config, flags, terminal } = invocation;
  checkBounds(flags);
  const bus = await actions.openBus(config);
  try {
    const { bounds, total } = await readBounds(bus, flags);
    if (flags.dryRun === true) return await answerForecast(invocation, await forecastPrune(bus, bounds));
    if (!(await isAgreed(invocation, bus, bounds))) {
      terminal.remark('nothing was removed');
      return exitStatus.refused;
    }
    const pruned = await prune(bus, bounds, { progress: toProgress(invocation), total });
    const sentence = `pruned ${toAmount(pruned)}; the log begins at #${pruned.oldestId}`;
    return await answer(invocation, toFacts(pruned), toLines(sentence, pruned));
  } finally {
    await bus.close();
  }
}

type Flags = Invocation['flags'];

function checkBounds({ before, keep }: Flags): void {
  if (before === undefined && keep === undefined)
    throw new UsageError('say what may go: --before a time, or all but --keep so many');
}

/** Ages count back from the bus's time, because that clock dated the messages. */
async function readBounds(
  bus: OpenedBus,
  { before, keep, includeFlags }: Flags,
): Promise<Readonly<{ bounds: PruneBounds; total?: number }>> {
  const flagBound = includeFlags === true ? { include_flags: true } : {};
  const { _meta } = await bus.getBusStatus({});
  if (typeof keep === 'number')
    return { bounds: { keep, ...flagBound }, total: Math.max(_meta.message_count - keep, 0) };
  const time = parseTypedTime(String(before), new Date(_meta.ts));
  return { bounds: { before: time, ...flagBound } };
}

async function isAgreed(invocation: Invocation, bus: OpenedBus, bounds: PruneBounds): Promise<boolean> {
  const { flags, input, terminal } = invocation;
  if (flags.yes === true || flags.json === true || !canAsk(input)) return true;
  const forecast = await forecastPrune(bus, bounds);
  if (forecast.events === 0) return true;
  const end = forecast.hasMore ? '' : `, all before #${forecast.oldestId}`;
  const question = `this removes ${toAmount(forecast)} for good${end}. Go on?`;
  return await confirm(toLines(question, forecast), { input, terminal });
}

async function answerForecast(invocation: Invocation, forecast: PruneForecast): Promise<number> {
  const { hasMore } = forecast;
  const sentence = `would prune ${toAmount(forecast)}; nothing was removed`;
  const facts = { dry_run: true, ...toFacts(forecast), has_more: hasMore };
  return await answer(invocation, facts, toLines(sentence, forecast));
}

function toAmount({ messages, events, hasMore = false }: Pruned & Partial<PruneForecast>): string {
  return `${hasMore ? 'at least ' : ''}${toCount(messages, 'message')} and ${toCount(events, 'event')}`;
}

function toFacts({ messages, events, oldestId, heldBackBy }: Pruned): Readonly<Record<string, unknown>> {
  return { pruned_messages: messages, pruned_events: events, oldest_id: oldestId, held_back_by: heldBackBy };
}

/** The summary comes last; the reason why something stays comes before it. */
function toLines(sentence: string, { heldBackBy }: Pruned): string {
  if (heldBackBy === undefined) return sentence;
  const reason = `#${heldBackBy} is flagged and nobody has acknowledged it, so it stays, and so does all that came after it`;
  const advice = `acknowledge it (bus-mcp ack ${heldBackBy}), or add --include-flags`;
  return `${reason}: ${advice}\n${sentence}`;
}
