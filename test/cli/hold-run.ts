import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { BusUnreachableError, toBusError } from '../../src/contract/errors.ts';
import { useFolder } from '../folder.ts';
import { type Run, type Script, startCommandLine } from './command-line.ts';
import type { ManualTimers } from './manual-timers.ts';
import { toGrant } from './rows.ts';

/** What the commands of one test file write. */
export const folder = useFolder();

export const held = toBusError('lane_held', "lane 'feeds' held by 'bob'", {
  lane: 'feeds',
  owner: 'bob',
  expires_in_s: 9,
  fence: 4,
  waiters: 0,
});
export const notHolder = toBusError('not_holder', "lane 'feeds' not held live by 'ada'", {
  lane: 'feeds',
  owner: null,
  expires_in_s: 0,
});
export const unreachable = new BusUnreachableError('no bus answered', 'http://x');

/** As many turns as a test may take: what a failed test leaves behind must end by itself. */
export const turns = '$(seq 500)';

const granting = {
  getLane: () => ({ state: 'free', fence: 2, lane: { lane: 'feeds' }, waiting: [] }),
  claimLane: ({ lane, lease_s, owner }: Record<string, unknown>) => toGrant({ lane, lease_s, owner }),
  heartbeatLane: ({ lane, lease_s, owner }: Record<string, unknown>) => toGrant({ lane, lease_s, owner }),
  releaseLane: () => ({ ok: true, decision: 'released' }),
} satisfies Script;

let files = 0;
export function nextFile(): string {
  files += 1;
  return join(folder, `${files}`);
}

/** Holds against a scripted bus that grants, renews and releases unless the script says otherwise. */
export function hold(argv: readonly string[], given: Parameters<typeof startCommandLine>[1] = {}): Run {
  const environment = { PATH: process.env.PATH };
  return startCommandLine(['hold', ...argv], {
    environment,
    ...given,
    script: { ...granting, ...given.script },
  });
}

/** Runs a command that says when it has begun and ends when the test lets it. */
export function holdOpen(
  given: Readonly<{ script?: Script; timers: ManualTimers }>,
  argv: readonly string[] = [],
) {
  const [begun, gate] = [nextFile(), nextFile()];
  const loop = `echo begun > ${begun}; for _ in ${turns}; do [ -e ${gate} ] && exit 5; sleep 0.02; done`;
  const run = hold(['feeds', '--lease', '60', ...argv, '--', 'sh', '-c', loop], given);
  return {
    ...run,
    hasBegun: () => vi.waitFor(() => expect(read(begun)).toBe('begun\n'), 5000),
    letEnd: () => writeFileSync(gate, ''),
  };
}

export function read(file: string): string {
  return readFileSync(file, 'utf8');
}

export function namesOf({ calls }: Run): readonly string[] {
  return calls.map(({ name }) => name);
}
