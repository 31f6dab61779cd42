import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

type Row = Readonly<Record<string, unknown>>;

/** Two agents that change three files each, in every way that the trial compares. */
async function runTrial(): Promise<Readonly<{ status: unknown; rows: readonly Row[] }>> {
  const flags = ['--agents', '2', '--tasks', '3', '--think-ms', '5', '--json'];
  const child = spawn(process.execPath, ['bench/trial.mjs', ...flags]);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [output, status] = await Promise.all([text(child.stdout), ended]);
  const rows = output
    .trim()
    .split('\n')
    .map((line): Row => JSON.parse(line));
  return { status, rows };
}

test('the trial counts every way of working together, and every task is done in each', {
  timeout: 60_000,
}, async () => {
  const { status, rows } = await runTrial();
  expect(status).toBe(0);
  expect(rows.map(({ way }) => way)).toEqual(['no bus', 'lanes by guessed names', 'lanes with paths']);
  const [without, named, scoped] = rows;
  expect(without).toMatchObject({ calls: 0, shownBytes: 0, waitedSeconds: 0 });
  expect(named).toMatchObject({ edits: without?.edits });
  expect(named?.calls).toBeGreaterThanOrEqual(2 * (1 + 3 * 2));
  if (scoped?.skipped !== undefined)
    return expect(scoped.skipped).toBe('claim_lane takes no paths in this build');
  expect(scoped).toMatchObject({ edits: without?.edits, collisions: 0, lostEdits: 0 });
});
