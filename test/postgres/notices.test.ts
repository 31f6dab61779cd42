import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOutage, type Notice } from '../../src/store/notice.ts';
import { until } from '../suite/ask.ts';
import { createTestSchemaOn } from '../suite/postgres.ts';
import { type PostgresServer, serverPassword, startPostgresServer } from '../suite/postgres-server.ts';
import { openToldBus } from './buses.ts';
import { startProxy } from './proxy.ts';

describe('an outage', () => {
  const createLog = () => {
    const said: string[] = [];
    const time = { now: 0 };
    const notify = ({ message, data }: Notice) => void said.push(`${message} ${JSON.stringify(data)}`);
    const outage = createOutage({ notify, failing: 'down', working: 'up', now: () => time.now });
    return { said, time, ...outage };
  };

  test('is said once when it begins, and once when all parts of it are over', () => {
    const { said, time, fails, works } = createLog();
    for (const part of ['one', 'other', 'one']) fails(part, 'broken');
    expect(said).toEqual(['down {"reason":"broken"}']);
    time.now = 2_500;
    works('one');
    expect(said).toHaveLength(1);
    works('other', { host: 'a' });
    works('other', { host: 'a' });
    expect(said.slice(1)).toEqual(['up {"host":"a","seconds":2.5}']);
  });

  test('that comes and goes is said now and then, and in the end if it stays', () => {
    const { said, time, fails, works } = createLog();
    for (time.now = 0; time.now < 15_000; time.now += 1_000) {
      fails('one', `at ${time.now}`);
      works('one');
    }
    const shown = [
      'down {"reason":"at 0"}',
      'up {"seconds":0}',
      'down {"reason":"at 10000"}',
      'up {"seconds":0}',
    ];
    expect(said).toEqual(shown);
    fails('one', 'for good');
    expect(said).toEqual(shown);
    time.now = 21_000;
    fails('one', 'for good');
    expect(said.slice(4)).toEqual(['down {"reason":"for good"}']);
  });
});

describe('whoever keeps the bus running', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.remove());

  /** What the connections say; that reads and writes fail meanwhile has lines of its own. */
  const aboutDatabase = (notices: readonly Notice[]) =>
    notices.filter(({ message }) => message.startsWith('the database'));

  test('is told in one line that the database is away, and in one that it is back, and where', async () => {
    const { bus, notices } = await openToldBus(createTestSchemaOn(server.url).url);
    await server.stop();
    await until('it was told', () => aboutDatabase(notices).length > 0);
    const calls = Array.from({ length: 20 }, () => bus.getBusStatus({}).catch(() => {}));
    await Promise.all(calls);
    expect(aboutDatabase(notices)).toEqual([
      {
        level: 'warn',
        message: 'the database cannot be used',
        data: { reason: expect.stringMatching(/./) },
      },
    ]);
    await server.start();
    await until('it was told', () => aboutDatabase(notices).length > 1);
    expect(aboutDatabase(notices).slice(1)).toEqual([
      {
        level: 'info',
        message: 'the database can be used again',
        data: { host: `127.0.0.1:${server.port}`, seconds: expect.any(Number) },
      },
    ]);
    expect(JSON.stringify(notices)).not.toContain(serverPassword);
  });

  test('is told that the database is at another host', async () => {
    const proxy = await startProxy(server.port);
    const { url } = createTestSchemaOn(server.url);
    const hosts = `127.0.0.1:${proxy.port},127.0.0.1:${server.port}`;
    const { notices } = await openToldBus(url.replace(`127.0.0.1:${server.port}`, hosts));
    proxy.close();
    await until('it was told', () => aboutDatabase(notices).length >= 3);
    expect(aboutDatabase(notices).map(({ message }) => message)).toEqual([
      'the database cannot be used',
      'the database is at another host now',
      'the database can be used again',
    ]);
    expect(aboutDatabase(notices)[1]?.data).toEqual({
      host: `127.0.0.1:${server.port}`,
      before: `127.0.0.1:${proxy.port}`,
    });
  });
});
