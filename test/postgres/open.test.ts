import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../src/store/migrations/index.ts';
import { openStore } from '../../src/store/open.ts';
import { openSink, openSource } from '../../src/store/open-transfer.ts';
import { writerFile } from '../build.ts';
import { refusalOf, until } from '../suite/ask.ts';
import { createTestSchemaOn } from '../suite/postgres.ts';
import { type PostgresServer, serverPassword, startPostgresServer } from '../suite/postgres-server.ts';
import { createOwnSchema, idsUpTo, openOwnBus, openOwnStore, openToldBus } from './buses.ts';

/** The sentence with which the store cannot be opened. */
async function refusalToOpen(url: string): Promise<string> {
  const refusal = await openStore({ location: url, writerFile }).then(
    (store) => store.close().then(() => 'it was opened'),
    (error: Error) => error.message,
  );
  expect(refusal).not.toContain(serverPassword);
  return refusal;
}

describe('the schema', () => {
  test('is made once when ten buses start at the same time', async () => {
    const place = await createOwnSchema();
    const stores = await Promise.all(idsUpTo(10).map(() => openOwnStore(place.url)));
    expect(await place.ask('SELECT version FROM schema_version')).toEqual([{ version: migrations.length }]);
    const counts = await Promise.all(stores.map((store) => store.readCounters()));
    expect(counts.map(({ lastEventId }) => lastEventId)).toEqual(idsUpTo(10).map(() => 0));
  });

  test('of a newer version is refused with what to do, and left as it is', async () => {
    const place = await createOwnSchema();
    await (await openOwnStore(place.url)).close();
    await place.ask('UPDATE schema_version SET version = 99, compatible_from = 99');
    expect(await refusalToOpen(place.url)).toMatch(
      /changed by a newer bus-mcp \(its version is 99, this one knows \d+\): upgrade bus-mcp, or name another/,
    );
    expect(await place.ask('SELECT version FROM schema_version')).toEqual([{ version: 99 }]);
  });

  test('that a newer version changes under a running bus ends what it does, with what to do', async () => {
    const place = await createOwnSchema();
    const { bus, notices } = await openToldBus(place.url);
    const message = { topic: 'log', sender: 'ada', body: 'hello' };
    await bus.postMessage(message);
    await bus.claimLane({ lane: 'docs', owner: 'ada' });
    await place.ask('UPDATE schema_version SET version = 99, compatible_from = 1');
    await bus.postMessage(message);

    await place.ask('UPDATE schema_version SET compatible_from = 99');
    const asked = [bus.postMessage(message), bus.claimLane({ lane: 'docs', owner: 'bob' })];
    for (const refusal of await Promise.all(asked.map(refusalOf))) {
      expect(refusal).toMatchObject({ status: 503, code: 'unavailable', data: { retry_after_s: 10 } });
      expect(refusal.detail).toMatch(/^the database was changed by a newer bus-mcp \(.*\): upgrade this bus/);
    }
    expect(await place.ask('SELECT count(*)::int AS count FROM messages')).toEqual([{ count: 2 }]);
    await until('it reads no more', () =>
      bus.readMessages({}).then(
        () => false,
        ({ detail }) => detail.includes('upgrade this bus'),
      ),
    );
    expect((await refusalOf(bus.getBusStatus({}))).detail).toContain('upgrade this bus');
    const told = notices.filter(({ message: what }) => what.includes('upgrade it'));
    expect(told.map(({ message: what }) => what)).toEqual([
      'this bus would misread the database: upgrade it',
    ]);
  });

  test('of a newer version that says it is compatible is used side by side', async () => {
    const place = await createOwnSchema();
    await (await openOwnStore(place.url)).close();
    await place.ask('UPDATE schema_version SET version = 99, compatible_from = 1');
    await place.ask('ALTER TABLE messages ADD COLUMN mood text');
    const { bus } = await openOwnBus(place.url);
    await bus.postMessage({ topic: 'log', sender: 'ada', body: 'hello' });
    expect((await bus.readMessages({})).messages).toMatchObject([{ id: 1, body: 'hello' }]);
  });
});

test.each(['openStore', 'openSource', 'openSink'])(
  'what looks like an address and is no PostgreSQL URL becomes no file, and is not repeated: %s',
  async (name) => {
    const url = 'mysql://ada:swordfish@db.example/bus';
    const opening = { openStore: () => openStore({ location: url, writerFile }), openSource, openSink };
    const refusal = await opening[name as keyof typeof opening](url).catch((error: Error) => error);
    expect((refusal as Error).message).toMatch(
      /^the name of a store must be the path of a file, or postgres:/,
    );
    expect((refusal as Error).message).not.toMatch(/swordfish|example/);
    expect(existsSync('mysql:')).toBe(false);
  },
);

describe('a server of its own', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.remove());

  const askAsAdministrator = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const urlAs = (user: string, database = 'postgres') =>
    `postgres://${user}:${serverPassword}@127.0.0.1:${server.port}/${database}`;

  test('needs a role for its own schema and nothing else', async () => {
    await askAsAdministrator(`CREATE ROLE clerk LOGIN PASSWORD '${serverPassword}'`);
    expect(await refusalToOpen(urlAs('clerk'))).toMatch(
      /may not make the schema "bus" in postgres:\/\/clerk@.*CREATE SCHEMA "bus" AUTHORIZATION/,
    );
    await askAsAdministrator('CREATE SCHEMA bus AUTHORIZATION clerk');
    const { bus } = await openOwnBus(urlAs('clerk'));
    expect(await bus.claimLane({ lane: 'docs', owner: 'ada' })).toMatchObject({ decision: 'claim' });
  });

  test.each(['repeatable read', 'serializable'])(
    'may isolate by default as it likes: buses start together on an empty database and share it (%s)',
    async (isolation) => {
      const role = `strict_${isolation.replace(' ', '_')}`;
      await askAsAdministrator(
        `CREATE ROLE ${role} LOGIN PASSWORD '${serverPassword}'`,
        `ALTER ROLE ${role} SET default_transaction_isolation = '${isolation}'`,
        `GRANT CREATE ON DATABASE postgres TO ${role}`,
      );
      for (const round of idsUpTo(3)) {
        const url = `${urlAs(role)}?schema=${role}_${round}`;
        const buses = await Promise.all(idsUpTo(5).map(() => openOwnBus(url)));
        const posts = await Promise.all(
          buses.flatMap(({ bus }) =>
            idsUpTo(4).map(() => bus.postMessage({ topic: 'log', sender: 'ada', body: 'hello' })),
          ),
        );
        expect(posts.map(({ id }) => id).sort((a, b) => a - b)).toEqual(idsUpTo(20));
        await Promise.all(buses.map(({ close }) => close()));
      }
    },
  );

  test('says in a sentence, without the password, why it cannot be used', async () => {
    const { url, port } = server;
    expect(await refusalToOpen(url.replace(`:${port}/`, ':1/'))).toMatch(
      /^the database postgres:\/\/postgres@127.0.0.1:1\/postgres cannot be used \(ECONNREFUSED\): start it/,
    );
    expect(await refusalToOpen(`${url}?sslmode=require`)).toMatch(/does not support SSL/);
    expect(await refusalToOpen(urlAs('nobody'))).toMatch(/password authentication failed for user "nobody"/);
    await askAsAdministrator(`CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`);
    expect(await refusalToOpen(urlAs('postgres', 'latin'))).toMatch(
      /keeps text as LATIN1: .*ENCODING 'UTF8'/,
    );
  });

  test('is found among several hosts, and where it stands shows no password', async () => {
    const hosts = `127.0.0.1:1,127.0.0.1:${server.port}`;
    const schema = createTestSchemaOn(server.url).schema;
    const store = await openOwnStore(
      `postgresql://postgres:${serverPassword}@${hosts}/postgres?schema=${schema}&sslmode=prefer`,
    );
    expect(await store.readCounters()).toMatchObject({ lastEventId: 0 });
    expect(store.location).toBe(`postgres://postgres@${hosts}/postgres?schema=${schema}`);
  });

  test('that is read-only is passed over', async () => {
    await askAsAdministrator(`CREATE ROLE reader LOGIN PASSWORD '${serverPassword}'`);
    await askAsAdministrator('ALTER ROLE reader SET default_transaction_read_only = on');
    const [reader, other] = [urlAs('reader'), `${urlAs('reader')}?`];
    expect(await refusalToOpen(reader)).toMatch(/standby or read-only/);
    expect(await refusalToOpen(other.replace('@', `@127.0.0.1:${server.port},`))).toMatch(
      /no host takes writes \(.*read-only; .*read-only\)/,
    );
  });
});
