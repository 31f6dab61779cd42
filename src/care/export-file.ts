import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LaneEventDetail, MessageRow } from '../store/rows.ts';
import {
  pageRowsOfTransfer,
  type RowSource,
  type StoredEvent,
  type TableName,
  type Tables,
} from '../store/transfer.ts';
import {
  type EventLine,
  type ExportLine,
  exportLine,
  formatVersion,
  type MessageLine,
} from './export-lines.ts';
import { createExportSummary } from './export-summary.ts';
import { createLineFaults, findLineFaults } from './line-faults.ts';
import type { Progress } from './progress.ts';
import { readTextLines } from './text-lines.ts';

/** The rows of an export, read from its file as often as they are asked for. */
export async function openExport(file: string, progress: Progress): Promise<RowSource> {
  const path = resolve(file);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Error(`there is no file ${path}`);
  const reportBytes = (bytes: number) =>
    progress.report('reading the export, in kB', toKilobytes(bytes), toKilobytes(found.size));
  const summary = createExportSummary();
  const faults = createLineFaults(path);
  for await (const { number, text } of readTextLines(path, reportBytes)) {
    const line = parseLineText(text);
    if ('faults' in line) faults.add(number, line.faults);
    // What the other lines add up to says nothing once a line is wrong.
    if ('faults' in line || faults.any()) continue;
    const wrong = (number === 1 ? toHeadingProblem(line) : undefined) ?? summary.see(line);
    if (wrong) faults.add(number, [wrong]);
  }
  faults.end();
  const { totals, holes, lanes, isWhole } = summary.end();
  if (!isWhole)
    throw new Error(`the export ${path} is not whole, its last line is missing: nothing was kept`);

  async function* readRows<Name extends TableName>(table: Name): AsyncGenerator<Tables[Name]> {
    if (table === 'lanes') yield* lanes as readonly Tables[Name][];
    if (table !== 'messages' && table !== 'events') return;
    for await (const { text } of readTextLines(path)) {
      const line = parseLineText(text);
      if ('faults' in line) throw new Error(`the export ${path} changed while it was read: nothing was kept`);
      if (line.type === 'message' && table === 'messages') yield toMessageRow(line) as Tables[Name];
      if (line.type === 'event' && table === 'events') yield toStoredEvent(line) as Tables[Name];
    }
  }

  return {
    location: path,
    totals,
    holes,
    readPages: (table) => toPages(readRows(table)),
    close: async () => {},
  };
}

function toKilobytes(bytes: number): number {
  return Math.ceil(bytes / 1_000);
}

function toHeadingProblem(line: ExportLine): string | undefined {
  if (line.type !== 'export') return 'is not the beginning of an export';
  if (line.format !== formatVersion)
    return `says that the export has format ${line.format}, and this bus-mcp knows ${formatVersion}`;
  return line.topic === undefined
    ? undefined
    : `says that only the topic ${line.topic} was exported, and a log cannot be made of a part: export without --topic`;
}

/** The line, or what is wrong with it, each as a sentence that goes on from the place of the line. */
function parseLineText(text: string): ExportLine | Readonly<{ faults: readonly string[] }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { faults: ['is no JSON, and an export in the format jsonl is needed'] };
  }
  const faults = findLineFaults(value);
  if (faults.length > 0) return { faults };
  const parsed = exportLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join('.') || 'type';
  return { faults: [`is no line of an export: its ${field} is missing or wrong`] };
}

async function* toPages<Row>(rows: AsyncIterable<Row>): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < pageRowsOfTransfer) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function toMessageRow(line: MessageLine): MessageRow {
  const { id, topic, sender, body, action_flag, ts, acknowledged_by, acknowledged_at } = line;
  return {
    id,
    topic,
    sender,
    body,
    actionFlag: action_flag,
    ts: Date.parse(ts),
    acknowledgedBy: acknowledged_by,
    acknowledgedAt: toMilliseconds(acknowledged_at),
  };
}

function toStoredEvent(line: EventLine): StoredEvent {
  const { id, kind, ts, message_id, lane } = line;
  return { id, kind, ts: Date.parse(ts), messageId: message_id, lane, detail: toDetail(line) };
}

function toDetail(line: EventLine): LaneEventDetail | undefined {
  const { owner, fence, lease_s, expires_at, previous_owner, previous_expires_at, released_by } = line;
  if (owner === undefined || fence === undefined) return undefined;
  return {
    owner,
    fence,
    leaseSeconds: lease_s,
    expiresAt: toMilliseconds(expires_at),
    previousOwner: previous_owner,
    previousExpiresAt: toMilliseconds(previous_expires_at),
    releasedBy: released_by,
  };
}

function toMilliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}
