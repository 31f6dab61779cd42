import { describe, expect, onTestFinished, test } from 'vitest';
import { BusError } from '../../src/contract/errors.ts';
import { createDatabaseClock, createStoreClock } from '../../src/store/postgres/clock.ts';
import { toStoreError, toUnknownOutcome } from '../../src/store/postgres/errors.ts';
import { createFeed, type Rewind } from '../../src/store/postgres/feed.ts';
import type { EventRow } from '../../src/store/rows.ts';

describe('the estimate of the clock of the database', () => {
  test('follows the best sample, is never ahead of it, and never runs backwards', () => {
    let monotonic = 0;
    const clock = createDatabaseClock(1_000, () => monotonic);
    expect(clock.now()).toBe(1_000);
    monotonic = 50;
    expect(clock.now()).toBe(1_050);
    // An answer that took long to arrive tells less.
    clock.sample(1_010);
    expect(clock.now()).toBe(1_050);
    clock.sample(1_080);
    expect(clock.now()).toBe(1_080);
    monotonic = 60_000;
    clock.sample(500);
    expect(clock.now()).toBe(1_080);
    clock.stop?.();
  });

  test('gives way to a newer sample when the two clocks drifted apart', () => {
    let monotonic = 0;
    const clock = createDatabaseClock(10_000, () => monotonic);
    monotonic = 100_000;
    clock.sample(109_000);
    expect(clock.now()).toBe(109_000);
    clock.stop?.();
  });
});

describe('the time of the database', () => {
  const hour = 3_600_000;

  function createTime(databaseNow: number) {
    const machine = { monotonic: 0, databaseNow, kept: 0 };
    const time = createStoreClock({ databaseNow, clockMilliseconds: 0 }, () => machine.monotonic);
    onTestFinished(() => time.clock.stop?.());
    /** What a look at the counters says it is. */
    const judge = () => time.judge({ databaseNow: machine.databaseNow, clockMilliseconds: machine.kept });
    const pass = (milliseconds: number) => {
      machine.monotonic += milliseconds;
      machine.databaseNow += milliseconds;
    };
    return { machine, time, judge, pass };
  }

  test('is what its clock says, and never before what it remembers', () => {
    const { machine, time, judge, pass } = createTime(hour);
    expect([judge(), time.given(), time.carried()]).toEqual([hour, null, undefined]);
    pass(1_000);
    // Another process decided something a moment later than this one asked.
    machine.kept = hour + 1_100;
    expect([judge(), time.given(), time.carried()]).toEqual([hour + 1_100, null, undefined]);
  });

  test('goes on when that clock is set back, the same for what is decided, what is read and what rings', () => {
    const { machine, time, judge, pass } = createTime(2 * hour);
    machine.kept = judge();
    machine.databaseNow -= hour;
    for (let seconds = 1; seconds <= 120; seconds += 1) {
      pass(1_000);
      const now = 2 * hour + seconds * 1_000;
      expect([judge(), time.given(), time.carried(), time.clock.now()]).toEqual([now, now, now, now]);
    }
    // What another process decided a little later counts here too.
    machine.kept = 2 * hour + 120_500;
    expect([judge(), time.clock.now()]).toEqual([machine.kept, machine.kept]);
    machine.databaseNow += hour;
    pass(1_000);
    expect([judge(), time.given(), time.carried()]).toEqual([2 * hour + 121_000, null, undefined]);
  });
});

describe('the feed of events', () => {
  const toEvents = (ids: readonly number[]) => ids.map((id) => ({ id }) as EventRow);

  function createLog(startId: number) {
    const log: number[] = [];
    const delivered: number[] = [];
    const rewinds: Rewind[] = [];
    const feed = createFeed({
      startId,
      readEvents: async ({ sinceId, limit }) => toEvents(log.filter((id) => id > sinceId).slice(0, limit)),
      readPruned: async () => 0,
      deliver: (events) => void delivered.push(...events.map(({ id }) => id)),
      onRewind: (rewind) => void rewinds.push(rewind),
    });
    return { log, delivered, rewinds, feed };
  }

  test('hands out what this process committed at once, when nothing is missing before it', () => {
    const { delivered, feed } = createLog(5);
    feed.publish(toEvents([6, 7]));
    expect(delivered).toEqual([6, 7]);
  });

  test('waits with what others came before, and hands out all of it in order, once', async () => {
    const { log, delivered, feed } = createLog(5);
    log.push(6, 7, 8);
    feed.publish(toEvents([8]));
    expect(delivered).toEqual([]);
    await Promise.all([feed.reach(8), feed.reach(7)]);
    feed.publish(toEvents([8]));
    await feed.reach(6);
    expect(delivered).toEqual([6, 7, 8]);
  });

  test('reads page after page when much was missed', async () => {
    const { log, delivered, feed } = createLog(0);
    log.push(...Array.from({ length: 1_700 }, (_, index) => index + 1));
    await feed.reach(1_700);
    expect(delivered).toEqual(log);
  });

  test('goes on from where the log ends when that is before what it handed out', async () => {
    const { log, delivered, rewinds, feed } = createLog(5);
    feed.publish(toEvents([6, 7, 8]));
    const before = feed.reach(9);
    feed.endsAt(8, 8);
    expect(rewinds).toEqual([]);
    feed.endsAt(6, 8);
    expect(rewinds).toEqual([{ to: 6, from: 8 }]);
    // Whoever waited for an event that is gone is told so.
    await expect(before).rejects.toThrow();
    await expect(feed.reach(6)).resolves.toBeUndefined();
    log.push(7, 8);
    await feed.reach(8);
    expect(delivered).toEqual([6, 7, 8, 7, 8]);
  });

  test('says so when what it was told of is not there', async () => {
    const { feed } = createLog(0);
    await expect(feed.reach(1)).rejects.toThrow('the change feed ends at 0, not at 1');
  });
});

describe('what the database says is wrong', () => {
  const fromServer = (code: string) =>
    Object.assign(new Error('said the server'), { code, severity: 'ERROR' });

  test.each([
    ['53300', 'too many connections'],
    ['57P01', 'shutting down or starting up'],
    ['25006', 'read-only'],
    ['53100', 'disk of the database is full'],
    ['55P03', 'order lock was not free'],
    ['40P01', 'rolled back the transaction'],
    ['08006', 'connection to the database broke'],
  ])('passes by itself when it is %s: %s', (code, words) => {
    const refusal = toStoreError(fromServer(code)) as BusError;
    expect(refusal).toBeInstanceOf(BusError);
    expect(refusal).toMatchObject({ status: 503, code: 'unavailable', data: { retry_after_s: 1 } });
    expect(refusal.detail).toContain(words);
  });

  test('passes by itself when it is the connection', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    expect((toStoreError(refused) as BusError).detail).toContain('cannot be reached (ECONNREFUSED)');
    expect(toStoreError(new Error('Connection terminated'))).toMatchObject({ code: 'unavailable' });
    expect(toUnknownOutcome(new Error('cut')).detail).not.toContain('nothing was kept');
  });

  test('is not hidden when it is a mistake of the bus', () => {
    const mistake = fromServer('42601');
    expect(toStoreError(mistake)).toBe(mistake);
  });
});
