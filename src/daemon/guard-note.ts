import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** When the guard of a client last looked at a call, and what kept it from asking the bus. */
export type GuardNote = Readonly<{ client: string; at: string; problem?: string | undefined }>;

const noteAgainMilliseconds = 60_000;

/** Writes that down for `doctor`. Guards run often, so the same is written once a minute. */
export function noteGuardRun({
  dataFolder,
  client,
  problem,
}: Readonly<{ dataFolder: string; client: string; problem?: string | undefined }>): void {
  const folder = toFolder(dataFolder);
  const file = join(folder, `${client.replace(/[^\w-]/g, '_')}.json`);
  try {
    const before = readNote(file);
    const isFresh = before && Date.now() - statSync(file).mtimeMs < noteAgainMilliseconds;
    if (isFresh && before.problem === problem) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${JSON.stringify({ client, at: new Date().toISOString(), problem })}\n`, {
      mode: 0o600,
    });
  } catch {
    // Nobody hears of this run.
  }
}

/** What the guards of all clients have left. */
export function readGuardNotes(dataFolder: string): readonly GuardNote[] {
  const folder = toFolder(dataFolder);
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.sort().flatMap((name) => readNote(join(folder, name)) ?? []);
  } catch {
    return [];
  }
}

function readNote(file: string): GuardNote | undefined {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8')) as GuardNote;
    return typeof note.client === 'string' && typeof note.at === 'string' ? note : undefined;
  } catch {
    return undefined;
  }
}

function toFolder(dataFolder: string): string {
  return join(dataFolder, 'guard');
}
