import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../src/contract/limits.ts';
import { createGroupCommit } from '../src/store/group-commit.ts';
import type { Outcome, Turn } from '../src/store/store.ts';
import { refusalOf } from './suite/ask.ts';

describe('thousands of connections, each of which asks again as soon as it was answered', () => {
  test('get what was accepted kept and the rest refused, in bounded memory, and are over soon', async () => {
    // A second is the promise; here other tests take their share of the machine.
    const flags = ['--overload', '--seconds', '6', '--times', '2', '--calm-ms', '4000'];
    const child = spawn(process.execPath, ['bench/soak.mjs', ...flags]);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [output, remarks, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    expect([status, remarks.match(/FAULT.*/s)?.[0]]).toEqual([0, undefined]);
    expect(output).toMatch(/^offered +[\d,]+ a second, [\d.]+ times what it took$/m);
    expect(output).toMatch(/^accepted +[\d,]+ messages, all there as they were sent$/m);
    expect(output).toMatch(/^refused +[1-9][\d,]* with 503 and 429, each with retry_after_s$/m);
    expect(output).toMatch(/^memory +\d+ MB at most$/m);
  }, 180_000);
});

describe('writes that wait for a commit', () => {
  const turn: Turn<string> = { decide: () => ({ answer: 'kept' }) };

  /** A store whose commits take so long, and how many turns each of them had. */
  function createSlowCommit(milliseconds: number) {
    const sizes: number[] = [];
    const group = createGroupCommit({
      commit: async (turns) => {
        sizes.push(turns.length);
        await pause(milliseconds);
        return turns.map(() => ({ outcome: { answer: 'kept' } as Outcome<unknown> }));
      },
    });
    return { ...group, sizes };
  }

  test('are so many and no more: the next is unavailable, and says when to come back', async () => {
    const { take, sizes } = createSlowCommit(20);
    const first = take(turn);
    await pause(5);
    const waiting = Array.from({ length: limits.turnsQueuedMax }, () => take(turn));
    const { status, code, data } = await refusalOf(take(turn));
    expect([status, code, data]).toEqual([503, 'unavailable', { retry_after_s: 1 }]);
    expect(new Set(await Promise.all([first, ...waiting]))).toEqual(new Set(['kept']));
    expect(sizes).toEqual([
      1,
      ...Array(limits.turnsQueuedMax / limits.turnsPerCommitMax).fill(limits.turnsPerCommitMax),
    ]);
    expect(await take(turn)).toBe('kept');
  });

  test('are fewer on a disk so slow that they would wait long, but always enough for one commit', async () => {
    const { take } = createSlowCommit(300);
    await take(turn);
    const first = take(turn);
    await pause(5);
    const waiting = Array.from({ length: limits.turnsPerCommitMax * 2 }, () => take(turn));
    const outcomes = await Promise.allSettled([first, ...waiting]);
    const kept = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(kept).toBe(1 + limits.turnsPerCommitMax);
  });

  test('that give something back are taken however many wait', async () => {
    const { take } = createSlowCommit(20);
    const first = take(turn);
    await pause(5);
    const waiting = [first, ...Array.from({ length: limits.turnsQueuedMax }, () => take(turn))];
    const owed = take({ ...turn, isOwed: true });
    expect((await refusalOf(take(turn))).code).toBe('unavailable');
    expect(await owed).toBe('kept');
    await Promise.all(waiting);
  });
});
