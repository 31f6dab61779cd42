import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CopiedKind, Row } from '../store/schema.ts';
import { pageRowsOfTransfer, type RowSource } from '../store/transfer.ts';
import { type ExportLine, formatVersion, parseLine } from './export-lines.ts';
import { createExportSummary } from './export-summary.ts';
import { createLineFaults, findLineFaults } from './line-faults.ts';
import type { Progress } from './progress.ts';
import { readTextLines } from './text-lines.ts';

/** Reads the rows of an export from its file, as often as they are needed. */
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
    // Once a line is wrong, totals over the other lines mean nothing.
    if ('faults' in line || faults.any()) continue;
    const wrong = (number === 1 ? toHeadingProblem(line) : undefined) ?? summary.see(line);
    if (wrong) faults.add(number, [wrong]);
  }
  faults.end();
  const { totals, holes, lanes, isWhole } = summary.end();
  if (!isWhole)
    throw new Error(`the export ${path} is not whole, its last line is missing: nothing was kept`);

  async function* readRows<Name extends CopiedKind>(table: Name): AsyncGenerator<Row<Name>> {
    if (table === 'lanes') yield* lanes as readonly Row<Name>[];
    if (table !== 'messages' && table !== 'events') return;
    for await (const { text } of readTextLines(path)) {
      const line = parseLineText(text);
      if ('faults' in line) throw new Error(`the export ${path} changed while it was read: nothing was kept`);
      if (line.type === 'message' && table === 'messages') yield line.row as Row<Name>;
      if (line.type === 'event' && table === 'events') yield summary.complete(line.row) as Row<Name>;
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

/** The line, or what is wrong with it, as phrases that continue "line 12 …". */
function parseLineText(text: string): ExportLine | Readonly<{ faults: readonly string[] }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { faults: ['is no JSON, and an export in the format jsonl is needed'] };
  }
  const faults = findLineFaults(value);
  if (faults.length > 0) return { faults };
  const line = parseLine(value);
  return 'fault' in line
    ? { faults: [`is no line of an export: its ${line.fault} is missing or wrong`] }
    : line;
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
