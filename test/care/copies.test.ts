import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backUp } from '../../src/care/backup.ts';
import { copyStore } from '../../src/care/copy.ts';
import { noProgress } from '../../src/care/progress.ts';
import { restore } from '../../src/care/restore.ts';
import { verifyStore } from '../../src/care/verify.ts';
import { createFolder } from '../folder.ts';
import { postMany } from '../suite/ask.ts';
import { createTestSchema } from '../suite/postgres.ts';
import { contentOf, fillBus, withBus } from './stage.ts';

const now = new Date('2026-01-02T03:04:05.678Z');

async function createStore() {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  const content = await withBus(store, async (bus) => {
    await fillBus(bus);
    return contentOf(bus);
  });
  return { folder, store, content };
}

describe('a backup', () => {
  test('is one moment of a bus that goes on writing, whole, and for this user alone', async () => {
    const folder = createFolder();
    const [store, file] = [join(folder, 'bus.db'), join(folder, 'backup.db')];
    await withBus(store, async (bus) => {
      await postMany(bus, 200);
      let isWriting = true;
      const writing = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (isWriting) await postMany(bus, 1);
        }),
      );
      const { lastMessageId, messages } = await backUp({ store, file }, noProgress);
      isWriting = false;
      await writing;
      expect(lastMessageId).toBeGreaterThanOrEqual(200);
      expect(messages).toBe(lastMessageId);
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await verifyStore(file, noProgress)).ok).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  test('never replaces a file, and needs a database', async () => {
    const { folder, store } = await createStore();
    const file = join(folder, 'taken');
    writeFileSync(file, 'mine');
    await expect(backUp({ store, file }, noProgress)).rejects.toThrow('is there already');
    expect(readFileSync(file, 'utf8')).toBe('mine');
    const missing = { store: join(folder, 'nothing.db'), file: join(folder, 'b.db') };
    await expect(backUp(missing, noProgress)).rejects.toThrow('there is no file');
    expect(existsSync(missing.file)).toBe(false);
  });
});

describe('restore', () => {
  test('brings back what was, and gives ids and fences on above what was handed out since', async () => {
    const { folder, store, content } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    const lost = await withBus(store, async (bus) => {
      await postMany(bus, 10);
      await bus.releaseLane({ lane: 'held', owner: 'ada' });
      return bus.claimLane({ lane: 'held', owner: 'eve' });
    });
    const done = await restore({ store, file, now }, noProgress);
    expect(done).toMatchObject({ messages: 4, missingMessages: 10, nextMessageId: 17 });
    expect(done.replaced).toBe(`${store}.replaced-2026-01-02T030405.678Z`);
    await withBus(store, async (bus) => {
      expect((await contentOf(bus)).messages).toEqual(content.messages);
      expect(await bus.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 17 });
      const { lane } = await bus.claimLane({ lane: 'held', owner: 'ada' });
      expect(lane.fence).toBeGreaterThan(lost.lane.fence);
    });
    for (const path of [store, done.replaced as string]) {
      expect((await verifyStore(path, noProgress)).ok, path).toBe(true);
    }
    expect(statSync(store).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  test('brings back exactly what is there when nothing was handed out since', async () => {
    const { folder, store, content } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    expect(await restore({ store, file, now }, noProgress)).toMatchObject({ missingMessages: 0 });
    expect(await withBus(store, contentOf)).toEqual(content);
  });

  test('makes a database where none was', async () => {
    const { folder, store, content } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    const other = join(folder, 'new', 'bus.db');
    expect((await restore({ store: other, file, now }, noProgress)).replaced).toBeUndefined();
    expect(await withBus(other, contentOf)).toEqual(content);
  });

  test('takes the place of a damaged database, whose mark still counts', async () => {
    const { folder, store } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    await withBus(store, (bus) => postMany(bus, 3));
    writeFileSync(store, 'SQLite format 3\0 and then nonsense');
    expect(await restore({ store, file, now }, noProgress)).toMatchObject({ nextMessageId: 10 });
    expect((await verifyStore(store, noProgress)).ok).toBe(true);
  });

  test('refuses while a bus runs on the database, and names it', async () => {
    const { folder, store } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    await withBus(store, async (bus) => {
      const restoring = restore({ store, file, now }, noProgress);
      await expect(restoring).rejects.toThrow('already has a bus: this process itself');
      expect((await bus.getBusStatus({}))._meta.message_count).toBe(4);
    });
  });

  test.each([
    ['is not whole', (bytes: Buffer) => bytes.fill(0x55, 4096)],
    ['is no database', (bytes: Buffer) => bytes.fill(0x55)],
  ])('refuses a backup that %s, and changes nothing', async (_, damage) => {
    const { folder, store, content } = await createStore();
    const file = join(folder, 'backup.db');
    await backUp({ store, file }, noProgress);
    const bytes = readFileSync(file);
    damage(bytes);
    writeFileSync(file, bytes);
    await expect(restore({ store, file, now }, noProgress)).rejects.toThrow();
    expect(await withBus(store, contentOf)).toEqual(content);
  });
});

describe('copy', () => {
  const copy = (from: string, to: string) => copyStore({ from, to, warn: () => {} }, noProgress);

  test('brings everything from SQLite to PostgreSQL and back, to the last character', async () => {
    const { folder, store, content } = await createStore();
    const place = await createTestSchema();
    onTestFinished(place.remove);
    const back = join(folder, 'back.db');
    expect((await copy(store, place.url)).rows).toEqual({
      messages: 4,
      events: 9,
      lanes: 2,
      agents: 0,
      sessions: 0,
      stems: 0,
      answers: 6,
    });
    await copy(place.url, back);
    for (const where of [place.url, back]) {
      expect((await verifyStore(where, noProgress)).checks.filter(({ ok }) => !ok)).toEqual([]);
      await withBus(where, async (bus) => {
        expect(await contentOf(bus)).toEqual(content);
        const repeat = {
          topic: 'news',
          sender: 'ada',
          body: content.messages.at(-1)?.body ?? '',
          action_flag: true,
        };
        expect(await bus.postMessage(repeat, { idempotencyKey: 'key-6' }), 'keys are kept').toMatchObject({
          id: 6,
        });
        expect(await bus.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 7 });
        expect((await bus.claimLane({ lane: 'free', owner: 'eve' })).lane.fence).toBe(2);
      });
    }
  });

  test('refuses a target in which anything was ever kept, of either kind', async () => {
    const { folder, store } = await createStore();
    const place = await createTestSchema();
    onTestFinished(place.remove);
    const used = join(folder, 'used.db');
    for (const target of [used, place.url]) {
      await withBus(target, (bus) => bus.claimLane({ lane: 'a', owner: 'ada' }));
      const before = await withBus(target, contentOf);
      await expect(copy(store, target)).rejects.toThrow('is not empty');
      expect(await withBus(target, contentOf)).toEqual(before);
    }
  });

  test('says so when a bus runs on the source, and refuses one that runs on the target', async () => {
    const { folder, store } = await createStore();
    const said: string[] = [];
    const warn = (sentence: string) => void said.push(sentence);
    const place = await createTestSchema();
    onTestFinished(place.remove);
    await copyStore({ from: store, to: place.url, warn }, noProgress);
    await copyStore({ from: place.url, to: join(folder, 'still.db'), warn }, noProgress);
    expect(said).toEqual([]);
    for (const [index, from] of [store, place.url].entries()) {
      await withBus(from, async () => {
        await copyStore({ from, to: join(folder, `to-${index}.db`), warn }, noProgress);
      });
      expect(said[index]).toMatch(/^a bus runs on .*: what it is told from now on is not in the copy/);
    }
    expect(said).toHaveLength(2);
    expect(said.join()).not.toContain(new URL(place.url).password);
    const target = join(folder, 'target.db');
    await withBus(target, () => expect(copy(store, target)).rejects.toThrow('already has a bus'));
  });
});
