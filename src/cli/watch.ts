import { findSurroundings } from '../client-side/project.ts';
import { toScopedBus } from '../client-side/scoped-bus.ts';
import type { Bus } from '../contract/contract.ts';
import { isOfAnotherLog } from '../contract/cursor.ts';
import { checkInput, type InputIssue, toSentence } from '../contract/input.ts';
import { getLane } from '../contract/lanes.ts';
import { limits } from '../contract/limits.ts';
import { readMessages } from '../contract/messages.ts';
import type { Operation } from '../contract/operation.ts';
import { type FeedPage, followFeed } from '../feed/follow.ts';
import type { CommandDeclaration, Invocation } from './command.ts';
import { UsageError } from './config.ts';
import { toEventLine } from './event-line.ts';
import { exitStatus, InputError, isPassing } from './failure.ts';
import { type Row, toRows } from './rows.ts';
import { onStopSignal } from './stop-signal.ts';
import { toJsonLine } from './visible.ts';

/** Follows the change feed, for people and for scripts that wait for something to happen. */
export const watchCommand: CommandDeclaration = {
  name: 'watch',
  alsoTried: ['follow', 'tail', 'listen', 'subscribe'],
  group: 'For scripts',
  summary: 'Print one line per event, as it happens',
  guidance:
    'Starts with what happens from now on. Goes on by itself after the bus was away; nothing is skipped. With both --topic and --lane: what concerns either.',
  readers: ['client'],
  declare: (command) => {
    command
      .option('--topic <text>', 'Only messages of this topic')
      .option('--lane <text>', 'Only events of this lane')
      .option('--since <number>', 'Start after this event id; 0 prints everything that is kept')
      .option('--json', 'Print each event as one line of JSON');
  },
  run: watch,
};

async function watch(invocation: Invocation): Promise<number> {
  const { actions, config, flags, signals, terminal } = invocation;
  const since = readSince(flags.since);
  checkWanted(flags);
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  const forget = onStopSignal(signals, stop);
  terminal.closed.addEventListener('abort', stop);
  const bus = toScopedBus(await actions.openBus(config), findSurroundings(config));
  try {
    // A wrong address is told at once; only a bus that was there is worth waiting for.
    const start = since ?? (await readLastEventId(bus));
    if (since !== undefined) await checkGiven(bus, since);
    await follow({ bus, since: start, invocation, signal: stopped.signal });
    return exitStatus.done;
  } finally {
    forget();
    await bus.close();
  }
}

/**
 * Refuses an event that this bus has never given: at the start it is a slip, and following it would print a whole log
 * that nobody asked for. Later the same answer means that the bus came back with another log.
 */
async function checkGiven(bus: Bus, since: number): Promise<void> {
  const page = await bus.readEvents({ since, limit: 1 });
  if (!isOfAnotherLog(since, page)) return;
  const last = await readLastEventId(bus);
  throw new UsageError(
    `there is no event ${since} on this bus, whose last event is ${last}: ` +
      'leave out --since to print what happens from now on, or give --since 0 to print everything that is kept',
  );
}

/** What no topic and no lane can be called is never heard of, so a slip would be silence. */
function checkWanted({ topic, lane }: Invocation['flags']): void {
  const issues = [
    ...(topic === undefined ? [] : issuesOf(readMessages, { topic })),
    ...(lane === undefined ? [] : issuesOf(getLane, { lane })),
  ];
  if (issues.length === 0) return;
  const shown = issues.map(({ field, message }) => ({ field: `--${field}`, message }));
  throw new InputError(toSentence(shown), issues);
}

function issuesOf(operation: Operation, input: Row): readonly InputIssue[] {
  const checked = checkInput(operation, input);
  return 'issues' in checked ? checked.issues : [];
}

async function follow(
  asked: Readonly<{ bus: Bus; since: number; invocation: Invocation; signal: AbortSignal }>,
): Promise<void> {
  const { bus, since, invocation, signal } = asked;
  const { terminal, timers } = invocation;
  let isAway = false;
  const onFailure = (error: unknown, failed: Readonly<{ since: number }>): number => {
    if (!isPassing(error)) throw error;
    if (!isAway) terminal.remark(`${error.message} (trying again until it is back)`);
    isAway = true;
    return failed.since;
  };
  const feed = { bus, since, limit: () => limits.pageRowsMax, waitSeconds, signal, timers, onFailure };
  try {
    for await (const step of followFeed(feed)) {
      if (isAway) terminal.remark('the bus is back');
      isAway = false;
      if (step.isOfAnotherLog) terminal.remark(toOtherLogSentence(step.since));
      await printPage(step.page, invocation);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function printPage(page: FeedPage, { flags, terminal }: Invocation): Promise<void> {
  const { topic, lane } = flags;
  const wanted = toRows(page.events).filter((event) => isWanted(event, topic, lane));
  for (const event of wanted) {
    await terminal.print(flags.json === true ? toJsonLine(event) : toEventLine(event));
  }
}

function toOtherLogSentence(since: number): string {
  return `there is no event ${since} on this bus, whose log is another one: going on from its beginning`;
}

function isWanted(event: Row, topic: unknown, lane: unknown): boolean {
  if (topic === undefined && lane === undefined) return true;
  const [message] = toRows([event.message]);
  if (topic !== undefined && message !== undefined && message.topic === topic) return true;
  return lane !== undefined && event.lane === lane;
}

async function readLastEventId(bus: Bus): Promise<number> {
  const status = await bus.getBusStatus({});
  return status._meta.last_event_id ?? 0;
}

function readSince(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(String(text))) return Number(text);
  throw new UsageError('--since must be an event id, or 0 for everything');
}

const waitSeconds = 60;
