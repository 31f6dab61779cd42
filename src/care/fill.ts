import { createHash } from 'node:crypto';
import type { Counters } from '../store/rows.ts';
import { type CopiedKind, copiedKinds } from '../store/schema.ts';
import type { ReadPages, RowSink, RowSource } from '../store/transfer.ts';
import type { Progress } from './progress.ts';

export type Filled = Readonly<Record<CopiedKind, number>>;

/**
 * Copies every row from the source into the empty sink, reads everything back and compares it, and only then
 * commits. If a single character differs, the sink stays empty.
 */
export async function fill(source: RowSource, sink: RowSink, progress: Progress): Promise<Filled> {
  const digests = new Map<CopiedKind, Digest>();
  for (const table of copiedKinds) digests.set(table, await copyTable(table, { source, sink, progress }));
  for (const table of copiedKinds) {
    const wanted = digests.get(table);
    const found = await digestOf(sink.readPages, table, (count) =>
      progress.report(`comparing ${table}`, count, wanted?.count),
    );
    if (wanted?.text !== found.text || wanted.count !== found.count) {
      throw new Error(
        `${table} in ${sink.location} are not the same as in ${source.location} (${found.count} of ${wanted?.count} rows): nothing was kept`,
      );
    }
  }
  await sink.commit(source.totals, source.holes);
  progress.end();
  return Object.fromEntries(copiedKinds.map((table) => [table, digests.get(table)?.count ?? 0])) as Filled;
}

type Digest = Readonly<{ text: string; count: number }>;

async function copyTable(
  table: CopiedKind,
  { source, sink, progress }: Readonly<{ source: RowSource; sink: RowSink; progress: Progress }>,
): Promise<Digest> {
  const digest = createDigest();
  const total = countOf(table, source.totals);
  for await (const page of source.readPages(table)) {
    await sink.write(table, page);
    digest.add(page);
    progress.report(`copying ${table}`, digest.count(), total);
  }
  return digest.end();
}

/** The totals for the progress display. The number of lanes and kept responses is not known in advance. */
function countOf(table: CopiedKind, { messageCount, lastEventId, pruned }: Counters): number | undefined {
  if (table === 'messages') return messageCount;
  return table === 'events' ? lastEventId - pruned.eventId : undefined;
}

async function digestOf(
  readPages: ReadPages,
  table: CopiedKind,
  report: (count: number) => void,
): Promise<Digest> {
  const digest = createDigest();
  for await (const page of readPages(table)) {
    digest.add(page);
    report(digest.count());
  }
  return digest.end();
}

function createDigest() {
  const hash = createHash('sha256');
  let count = 0;
  return {
    add(rows: readonly object[]): void {
      for (const row of rows) hash.update(`${toCanonical(row)}\n`);
      count += rows.length;
    },
    count: () => count,
    end: (): Digest => ({ text: hash.digest('hex'), count }),
  };
}

/** The same text for the same row, whichever store it comes from. */
function toCanonical(row: object): string {
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}
