import { openSink } from '../store/open-transfer.ts';
import type { RowSource } from '../store/transfer.ts';
import { checkRows } from './check-rows.ts';
import { openExport } from './export-file.ts';
import { type Filled, fill } from './fill.ts';
import type { Progress } from './progress.ts';

export type Imported = Readonly<{ store: string; rows: Filled }>;

/** Imports an export into an empty store. Ids, times, senders and acknowledgements stay the same. */
export async function importFile(
  { file, store }: Readonly<{ file: string; store: string }>,
  progress: Progress,
): Promise<Imported> {
  const source = await openExport(file, progress);
  await refuseUnsound(source, progress);
  const sink = await openSink(store);
  try {
    return { store: sink.location, rows: await fill(source, sink, progress) };
  } finally {
    await sink.close();
    progress.end();
  }
}

async function refuseUnsound(source: RowSource, progress: Progress): Promise<void> {
  const unsound = (await checkRows(source, progress)).filter(({ ok }) => !ok);
  if (unsound.length === 0) return;
  const findings = unsound.map(({ name, finding }) => `${name}: ${finding}`).join('; ');
  throw new Error(`the export ${source.location} contradicts itself, so nothing was kept: ${findings}`);
}
