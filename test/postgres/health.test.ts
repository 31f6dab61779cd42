import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startBus } from '../bus-process.ts';
import { until } from '../suite/ask.ts';
import { createTestSchemaOn } from '../suite/postgres.ts';
import { type PostgresServer, serverPassword, startPostgresServer } from '../suite/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server.remove());

/** A bus whose role owns nothing, so that an operator can take its rights away. */
async function startBusOfClerk(role: string) {
  const admin = createTestSchemaOn(server.url);
  await admin.ask(`CREATE ROLE ${role} LOGIN PASSWORD '${serverPassword}'`);
  await admin.ask(`CREATE SCHEMA ${role} AUTHORIZATION ${role}`);
  const url = `${server.url.replace('//postgres:', `//${role}:`)}?schema=${role}`;
  const bus = await startBus({ environment: { BUS_STORE: url } });
  const ask = (path: string, body?: object) =>
    fetch(`${bus.url}${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    });
  return {
    admin: (sql: string) => admin.ask(`SET search_path TO ${role}; ${sql}`),
    health: () => ask('/healthz'),
    post: () => ask('/api/bus/message', { topic: 'log', sender: 'ada', body: 'hello' }),
    claim: () => ask('/api/bus/lanes/docs/claim', { owner: 'ada' }),
    status: async () =>
      ((await (await ask('/api/bus/status')).json()) as { _meta: Record<string, number> })._meta,
  };
}

async function detailOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { detail: string }).detail;
}

describe('the health of a bus on PostgreSQL', () => {
  test.each([
    ['messages', 'INSERT', 'post'],
    ['events', 'INSERT', 'post'],
    ['lanes', 'INSERT', 'claim'],
    ['counters', 'UPDATE', 'post'],
  ] as const)('says what a write says when the right on %s to %s is revoked', async (table, right, write) => {
    const role = `clerk_${table}`;
    const bus = await startBusOfClerk(role);
    expect((await bus.health()).status).toBe(200);
    await bus.admin(`REVOKE ${right} ON ${table} FROM ${role}`);
    for (const answer of [await bus.health(), await bus[write]()]) {
      expect(answer.status).toBe(503);
      expect(await detailOf(answer)).toContain(
        `the role of the bus lacks a right in the database (permission denied for table ${table})`,
      );
    }
    await bus.admin(`GRANT ${right} ON ${table} TO ${role}`);
    await until('it is well again', async () => (await bus.health()).status === 200);
    expect((await bus[write]()).status).toBe(200);
  });

  test('is bad while the schema is gone, as it is in the middle of a restore, and says so', async () => {
    const bus = await startBusOfClerk('clerk_schema');
    expect((await bus.post()).status).toBe(200);
    await bus.admin('ALTER SCHEMA clerk_schema RENAME TO set_aside');
    onTestFinished(
      async () =>
        void (await createTestSchemaOn(server.url)
          .ask('DROP SCHEMA set_aside CASCADE')
          .catch(() => {})),
    );
    for (const answer of [await bus.health(), await bus.post()]) {
      expect(answer.status).toBe(503);
      expect(await detailOf(answer)).toContain('a table of the bus is missing from the database');
    }
    await bus.admin('ALTER SCHEMA set_aside RENAME TO clerk_schema');
    await until('it is well again', async () => (await bus.health()).status === 200);
    expect((await bus.post()).status).toBe(200);
  });

  test('leaves nothing behind where it was asked for, also by many at once', async () => {
    const bus = await startBusOfClerk('clerk_traces');
    await bus.post();
    const before = await bus.status();
    const answers = await Promise.all(Array.from({ length: 20 }, bus.health));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const { last_message_id, last_event_id, message_count, waiter_count, orphaned_claim_count } =
      await bus.status();
    expect({ last_message_id, last_event_id, message_count }).toEqual({
      last_message_id: before.last_message_id,
      last_event_id: before.last_event_id,
      message_count: before.message_count,
    });
    expect([waiter_count, orphaned_claim_count]).toEqual([0, 0]);
    expect(await (await bus.post()).json()).toMatchObject({ id: 2 });
  });
});
