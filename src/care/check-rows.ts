import type { AnswerRow } from '../store/rows.ts';
import type { CopiedKind, Row } from '../store/schema.ts';
import type { RowSource } from '../store/transfer.ts';
import { type Check, createProblems, toCount } from './check.ts';
import { createBoundsCheck } from './check-bounds.ts';
import { createEventCheck } from './check-events.ts';
import { createFieldCheck } from './check-fields.ts';
import { createLaneCheck } from './check-lanes.ts';
import { createMessageCheck } from './check-messages.ts';
import type { Progress } from './progress.ts';

/** Checks every row of a store against what the log and the lanes promise. */
export async function checkRows(
  source: RowSource,
  progress: Progress,
  now = Date.now(),
): Promise<readonly Check[]> {
  const { messageCount, lastEventId, pruned } = source.totals;
  const messages = createMessageCheck(source);
  const events = createEventCheck(source);
  const lanes = createLaneCheck(Math.max(now, source.totals.clockMilliseconds));
  const answers = createAnswerCheck();
  const bounds = createBoundsCheck(source.totals);
  const fields = createFieldCheck();

  async function forEach<Name extends CopiedKind>(
    table: Name,
    see: (row: Row<Name>) => void,
    total?: number,
  ): Promise<void> {
    let done = 0;
    for await (const page of source.readPages(table)) {
      for (const row of page) {
        see(row);
        const which = () => `${nouns[table]} ${nameOf(row)}`;
        bounds.see(which, row);
        fields.see(table, which, row);
      }
      done += page.length;
      progress.report(`checking ${table}`, done, total);
    }
  }

  await forEach('messages', messages.see, messageCount);
  await forEach(
    'events',
    (event) => {
      events.see(event);
      lanes.seeEvent(event);
    },
    lastEventId - pruned.eventId,
  );
  await forEach('lanes', lanes.seeLane);
  await forEach('answers', answers.see);
  progress.end();
  const [inBounds, whole] = [bounds.end(), fields.end()];
  return [...messages.end(), events.end(messages.count()), lanes.end(), answers.end(), inBounds, whole];
}

const nouns = {
  messages: 'message',
  events: 'event',
  lanes: 'lane',
  agents: 'agent',
  sessions: 'the session',
  stems: 'the stem',
  answers: 'the remembered answer',
} as const;

function nameOf(row: object): unknown {
  const { id, key, lane, agent } = row as Readonly<Record<string, unknown>>;
  return id ?? key ?? lane ?? agent;
}

function createAnswerCheck() {
  const problems = createProblems();
  let count = 0;

  function see({ key, answer }: AnswerRow): void {
    count += 1;
    try {
      JSON.parse(answer);
    } catch {
      problems.add(`the answer remembered for the key ${key} cannot be read`);
    }
  }

  return { see, end: () => problems.toCheck('answers', toCount(count, 'remembered answer')) };
}
