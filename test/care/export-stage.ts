import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExportOptions, exportBus } from '../../src/care/export.ts';
import { noProgress } from '../../src/care/progress.ts';
import type { Bus } from '../../src/contract/contract.ts';
import { createFolder } from '../folder.ts';
import { contentOf, fillBus, withBus } from './stage.ts';

/** What the bus exports, as one text. */
export async function toText(bus: Bus, options: Partial<ExportOptions> = {}): Promise<string> {
  let text = '';
  const write = async (more: string) => {
    text += more;
  };
  const now = new Date('2026-01-02T03:04:05Z');
  await exportBus({ bus, format: 'jsonl', write, toJson: JSON.stringify, now, ...options }, noProgress);
  return text;
}

/** A file with the export of a bus on which all of this was done. */
export async function createExport(action: (bus: Bus) => Promise<unknown> = fillBus) {
  const folder = createFolder();
  const file = join(folder, 'export.jsonl');
  return withBus(join(folder, 'bus.db'), async (bus) => {
    await action(bus);
    writeFileSync(file, await toText(bus));
    return { folder, file, content: await contentOf(bus) };
  });
}
