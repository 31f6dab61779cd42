import { expect, onTestFinished, test } from 'vitest';
import type { BusError } from '../../src/contract/errors.ts';
import { refusalOf, soon, until } from '../suite/ask.ts';
import { createTestSchemaOn } from '../suite/postgres.ts';
import { type PostgresServer, startPostgresPair } from '../suite/postgres-server.ts';
import { idsUpTo, openOwnBus, openToldBus } from './buses.ts';

const message = { topic: 'log', sender: 'ada', body: 'hello' };

async function createPair(): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
  const { primary, standby } = await startPostgresPair();
  onTestFinished(async () => {
    await primary.remove();
    await standby.remove();
  });
  return { primary, standby };
}

/** The URL that names both, the first one first. */
function toUrl(first: PostgresServer, second: PostgresServer): string {
  return `${first.url.replace(`:${first.port}/`, `:${first.port},127.0.0.1:${second.port}/`)}?schema=bus`;
}

const askOn = (server: PostgresServer, sql: string) => createTestSchemaOn(server.url).ask(sql);

test('a standby takes over with every acknowledged row, and leases stay exclusive', {
  timeout: 90_000,
}, async () => {
  const { primary, standby } = await createPair();
  const { bus } = await openOwnBus(`${toUrl(standby, primary)}&target_session_attrs=read-write`);
  const { fence } = (await bus.claimLane({ lane: 'docs', owner: 'ada' })).lane;
  const acknowledged: number[] = [];
  const writing = Promise.all(
    idsUpTo(8).map(async () => {
      for (;;) acknowledged.push((await bus.postMessage(message)).id);
    }),
  );
  writing.catch(() => {});
  await until('some posts were kept', () => acknowledged.length > 100);
  await primary.stop('immediate');
  expect((await refusalOf(writing)).code).toBe('unavailable');

  expect((await refusalOf(soon('a refusal', bus.postMessage(message)))).code).toBe('unavailable');
  await askOn(standby, 'SELECT pg_promote()');
  const { id } = await soon('a post', postWhenTaken(bus), 10);
  const kept = await askOn(standby, 'SELECT id::int FROM bus.messages ORDER BY id');
  expect(kept.map((row) => row.id)).toEqual(idsUpTo(id));
  expect(idsUpTo(id)).toEqual(expect.arrayContaining(acknowledged));
  expect(await refusalOf(bus.claimLane({ lane: 'docs', owner: 'bob' }))).toMatchObject({
    code: 'lane_held',
    data: { owner: 'ada', fence },
  });
});

test('buses follow to a new primary, with what they read and what they hear, also when no connection breaks', {
  timeout: 90_000,
}, async () => {
  const { primary, standby } = await createPair();
  const url = toUrl(primary, standby);
  const [one, other] = [await openToldBus(url), await openOwnBus(url)];
  const { id } = await one.bus.postMessage(message);
  const waiting = other.bus.readMessages({ topic: 'new', since_id: id, wait_s: 60 });

  await askOn(primary, 'ALTER SYSTEM SET default_transaction_read_only = on');
  await askOn(primary, 'SELECT pg_reload_conf()');
  await until('it takes no writes', async () => {
    const [row] = await askOn(primary, 'SHOW default_transaction_read_only');
    return row?.default_transaction_read_only === 'on';
  });
  expect((await refusalOf(one.bus.postMessage(message))).code).toBe('unavailable');
  // Nobody takes writes now; what there is can still be read.
  expect((await one.bus.readMessages({})).messages).toHaveLength(1);

  await askOn(standby, 'SELECT pg_promote()');
  const posted = await soon('a post', postWhenTaken(one.bus, 'new'), 10);
  expect(posted.id).toBe(id + 1);
  expect((await soon('the reader', waiting, 10)).messages).toMatchObject([{ id: posted.id }]);
  await until('both read there', async () => {
    const pages = await Promise.all([one.bus.readMessages({}), other.bus.readMessages({})]);
    return pages.every(({ cursor }) => cursor === posted.id);
  });
  const hosts = { host: `127.0.0.1:${standby.port}`, before: `127.0.0.1:${primary.port}` };
  expect(one.notices.filter(({ message: what }) => what.includes('another host'))).toEqual([
    { level: 'warn', message: 'the database is at another host now', data: hosts },
  ]);
});

async function postWhenTaken(bus: Awaited<ReturnType<typeof openOwnBus>>['bus'], topic = 'log') {
  for (;;) {
    try {
      return await bus.postMessage({ ...message, topic });
    } catch (error) {
      if ((error as BusError).code !== 'unavailable') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
