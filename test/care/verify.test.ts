import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noProgress } from '../../src/care/progress.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { createFolder } from '../folder.ts';
import { createTestSchema } from '../suite/postgres.ts';
import { fillBus, withBus } from './stage.ts';

/** One thing wrong with the rows, as both databases can be told, and what the report says about it. */
const wrongs: readonly (readonly [string, string, string, RegExp])[] = [
  ['a message that is gone', 'DELETE FROM messages WHERE id = 4', 'messages', /message 4 is missing/],
  [
    'messages that are gone at the end',
    'DELETE FROM messages WHERE id >= 5',
    'messages',
    /messages 5 to 6 are missing/,
  ],
  [
    'a message where the log was pruned',
    'INSERT INTO messages (id, topic, sender, body, action_flag, ts) SELECT 1, topic, sender, body, action_flag, ts FROM messages WHERE id = 3',
    'messages',
    /message 1 stands where none may be/,
  ],
  [
    'an older time after a newer one',
    'UPDATE messages SET ts = 1 WHERE id = 5',
    'messages',
    /message 5 is older/,
  ],
  ['a wrong count', 'UPDATE counters SET message_count = 99', 'counters', /99 messages, and there are 4/],
  [
    'a wrong count of flags',
    'UPDATE counters SET pending_flag_count = 0',
    'counters',
    /0 pending action flags, and there are 2/,
  ],
  [
    'counters behind the log',
    'UPDATE counters SET last_message_id = 5',
    'messages',
    /end at message 5, and the log at 6/,
  ],
  ['an event that is gone', 'DELETE FROM events WHERE id = 8', 'events', /event 8 is missing/],
  [
    'an event of a message that is not there',
    'UPDATE events SET message_id = 77 WHERE message_id = 6',
    'events',
    /refers to message 77, which there is not/,
  ],
  [
    'an event of the wrong message',
    "UPDATE events SET message_id = 5 WHERE message_id = 6 AND kind = 'message_posted'",
    'events',
    /posts message 5 out of order/,
  ],
  [
    'a fence that went back',
    "UPDATE lanes SET fence = 0 WHERE lane = 'free'",
    'lanes',
    /lane free has fence 0, and 1 was given/,
  ],
  [
    'a holder who was given nothing',
    "UPDATE lanes SET owner = 'eve' WHERE lane = 'held'",
    'lanes',
    /held is held by eve, and was given to ada/,
  ],
  [
    'half of an acknowledgement',
    'UPDATE messages SET acknowledged_at = NULL WHERE id = 3',
    'fields',
    /message 3 says only half of who acknowledged it/,
  ],
  [
    'half of a hold',
    "UPDATE lanes SET claimed_at = NULL WHERE lane = 'held'",
    'fields',
    /lane held says only half of its hold/,
  ],
  [
    'a lane that is gone',
    "DELETE FROM lanes WHERE lane = 'held'",
    'lanes',
    /lane held has events and is not there/,
  ],
  [
    'a lease that ends before it begins',
    "UPDATE lanes SET expires_at = 1 WHERE lane = 'held'",
    'lanes',
    /ends before it begins/,
  ],
  [
    'an answer that cannot be read',
    "UPDATE answers SET answer = '{' WHERE key = 'key-6'",
    'answers',
    /for the key key-6 cannot be read/,
  ],
];

async function findings(location: string) {
  const { ok, checks } = await verifyStore(location, noProgress);
  return { ok, wrong: checks.filter((check) => !check.ok) };
}

describe('SQLite', () => {
  test('is found sound as a bus leaves it, and while one runs', async () => {
    const store = join(createFolder(), 'bus.db');
    await withBus(store, async (bus) => {
      expect((await findings(store)).wrong, 'empty').toEqual([]);
      await fillBus(bus);
      expect((await findings(store)).wrong, 'in use').toEqual([]);
    });
    const { ok, checks } = await verifyStore(store, noProgress);
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual([
      'schema',
      'file',
      'mark',
      'messages',
      'counters',
      'events',
      'lanes',
      'answers',
      'numbers',
      'fields',
    ]);
  });

  test.each(wrongs)('tells %s', async (_, sql, name, finding) => {
    const store = join(createFolder(), 'bus.db');
    await withBus(store, fillBus);
    const database = loadDriver().open(store);
    database.exec(sql);
    database.close();
    const { ok, wrong } = await findings(store);
    expect(ok).toBe(false);
    expect(wrong.find((check) => check.name === name)?.finding).toMatch(finding);
  });

  test('tells acknowledged messages that are not there any more', async () => {
    const store = join(createFolder(), 'bus.db');
    await withBus(store, fillBus);
    const database = loadDriver().open(store);
    database.exec(
      `DELETE FROM events WHERE id > 6; DELETE FROM messages WHERE id > 6; DELETE FROM lanes;
       UPDATE counters SET last_event_id = 6, pending_flag_count = 2`,
    );
    database.close();
    const { wrong } = await findings(store);
    expect(wrong.find(({ name }) => name === 'mark')?.finding).toMatch(/0 messages and 5 events are missing/);
  });

  test.each([
    ['is not there', 'there is no file'],
    ['is not a bus database', 'is not a bus database'],
  ])('refuses a file that %s', async (what, sentence) => {
    const store = join(createFolder(), 'other.db');
    if (what !== 'is not there') {
      const database = loadDriver().open(store);
      database.exec('CREATE TABLE diary (day TEXT)');
      database.close();
    }
    await expect(verifyStore(store, noProgress)).rejects.toThrow(sentence);
  });
});

describe('PostgreSQL', () => {
  test('is held against the same rules', { timeout: 60_000 }, async () => {
    const place = await createTestSchema();
    onTestFinished(place.remove);
    await withBus(place.url, fillBus);
    expect((await findings(place.url)).wrong).toEqual([]);
    // One after the other on the same rows, so only what does not change what the next one says.
    const independent = /^(UPDATE counters SET message_count|UPDATE lanes SET (fence|owner)|UPDATE answers)/;
    for (const [what, sql, name, finding] of wrongs.filter(([, text]) => independent.test(text))) {
      await place.ask(sql);
      const { wrong } = await findings(place.url);
      expect(wrong.find((check) => check.name === name)?.finding, what).toMatch(finding);
    }
  });

  test('is refused where there is no bus', async () => {
    const place = await createTestSchema();
    onTestFinished(place.remove);
    await expect(verifyStore(place.url, noProgress)).rejects.toThrow('there is no bus in');
  });
});

test('verify tells lanes that are held from those whose lease ran out', async () => {
  const store = join(createFolder(), 'bus.db');
  await withBus(store, fillBus);
  const lanesAt = async (now: number) =>
    (await verifyStore(store, noProgress, now)).checks.find(({ name }) => name === 'lanes')?.finding;
  expect(await lanesAt(Date.now())).toBe('2 lanes: 1 held, 0 orphaned; every fence grew');
  expect(await lanesAt(Date.now() + 2 * 3_600_000)).toBe('2 lanes: 0 held, 1 orphaned; every fence grew');
});
