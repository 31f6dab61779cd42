import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestSchema, type TestSchema } from './postgres.ts';

/** A kind of store on trial. */
export type StoreKind = Readonly<{ name: string; start: () => Promise<StoreSource> }>;

export type StoreSource = Readonly<{
  /** The location of a store that nobody used before. */
  freshLocation: () => Promise<string>;
  stop: () => Promise<void>;
}>;

const sqlite: StoreKind = {
  name: 'SQLite',
  async start() {
    const folder = await mkdtemp(join(tmpdir(), 'bus-mcp-suite-'));
    let count = 0;
    return {
      async freshLocation() {
        count += 1;
        return join(folder, `${count}.db`);
      },
      stop: () => rm(folder, { recursive: true, force: true }),
    };
  },
};

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async start() {
    const schemas: TestSchema[] = [];
    return {
      async freshLocation() {
        const schema = await createTestSchema();
        schemas.push(schema);
        return schema.url;
      },
      async stop() {
        for (const schema of schemas) await schema.remove();
      },
    };
  },
};

/** Every store there is: the suite, the model and the checked histories run over each. */
export const stores: readonly StoreKind[] = [sqlite, postgres];
