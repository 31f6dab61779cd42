import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export type TestSchema = Readonly<{
  /** For `openStore`: a schema that nobody else uses. */
  url: string;
  schema: string;
  /** Asks the server itself, inside the schema. */
  ask: (sql: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;
  remove: () => Promise<void>;
}>;

/** An empty place on the server of this test run, or on the one at TEST_POSTGRES_URL. */
export async function createTestSchema(): Promise<TestSchema> {
  return createTestSchemaOn(await findServer());
}

export function createTestSchemaOn(serverUrl: string): TestSchema {
  const schema = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  const url = `${serverUrl}${serverUrl.includes('?') ? '&' : '?'}schema=${schema}`;

  async function ask(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(`SET search_path TO "${schema}"`);
      return (await client.query(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  const remove = async () => void (await ask(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`));
  return { url, schema, ask, remove };
}

let server: Promise<string> | undefined;

function findServer(): Promise<string> {
  server ??= process.env.TEST_POSTGRES_URL ? Promise.resolve(process.env.TEST_POSTGRES_URL) : askDesk();
  return server;
}

async function askDesk(): Promise<string> {
  const response = await fetch(inject('postgresDesk'));
  if (!response.ok) throw new Error(`no PostgreSQL server for the tests: ${await response.text()}`);
  return response.text();
}
