import { statSync } from 'node:fs';
import { openSource, parseKind } from '../store/open-transfer.ts';
import { toRealPath } from '../store/path.ts';
import { ChangedSchemaError } from '../store/sqlite/check-schema.ts';
import { inspectFile } from '../store/sqlite/integrity/inspect.ts';
import { type Check, toCount } from './check.ts';
import { checkRows } from './check-rows.ts';
import type { Progress } from './progress.ts';

export type Verification = Readonly<{ ok: boolean; store: string; checks: readonly Check[] }>;

/** Checks everything a store holds, even while a bus runs on it. Rejects only when it is not a store at all. */
export async function verifyStore(
  location: string,
  progress: Progress,
  now = Date.now(),
): Promise<Verification> {
  const checks: Check[] = [];
  if (parseKind(location) === 'sqlite') checks.push(...checkFile(location, progress));
  const hasDamage = checks.some(({ ok }) => !ok);
  const source = await openSource(location).catch((error) => {
    if (error instanceof ChangedSchemaError) return;
    // If the pages are damaged or a number is too large, that is the finding. Otherwise it is not a store.
    if (!hasDamage && !(error instanceof RangeError)) throw error;
    checks.push(...toUnreadable(error));
  });
  if (!source) return { ok: false, store: toRealPath(location), checks };
  try {
    checks.push(...(await checkRows(source, progress, now).catch(toUnreadable)));
    return { ok: checks.every(({ ok }) => ok), store: source.location, checks };
  } finally {
    await source.close();
  }
}

/** Everything that is wrong, in one sentence. */
export function toProblem({ checks }: Verification): string {
  return checks
    .filter(({ ok }) => !ok)
    .map(({ name, finding }) => `${name}: ${finding}`)
    .join('; ');
}

function checkFile(path: string, progress: Progress): readonly Check[] {
  // SQLite checks all pages in one call and reports no progress.
  progress.report(`checking ${toCount(countPages(path), 'page')} of the file`, 0);
  let findings: ReturnType<typeof inspectFile>;
  try {
    findings = inspectFile(path);
  } catch (error) {
    if (!(error instanceof ChangedSchemaError)) throw error;
    return [{ name: 'schema', ok: false, finding: `${error.finding}: restore a backup` }];
  }
  const { damage, loss, hasMark } = findings;
  const pages = damage.length === 0 ? 'its pages are whole' : toDamageSentence(damage);
  const nothingLost = hasMark ? 'nothing acknowledged is missing' : 'there is none beside the file';
  return [
    { name: 'schema', ok: true, finding: 'it is what a bus makes' },
    { name: 'file', ok: damage.length === 0, finding: pages },
    { name: 'mark', ok: loss === undefined, finding: loss ?? nothingLost },
  ];
}

function countPages(path: string): number {
  return Math.ceil((statSync(path, { throwIfNoEntry: false })?.size ?? 0) / pageBytes);
}

const pageBytes = 4_096;

export function toDamageSentence(damage: readonly string[]): string {
  return `damaged pages (${damage.slice(0, 3).join('; ')}): restore a backup`;
}

function toUnreadable(error: unknown): readonly Check[] {
  const reason = error instanceof Error ? error.message : String(error);
  return [{ name: 'rows', ok: false, finding: `they cannot be read (${reason}): restore a backup` }];
}
