import { createServer } from 'node:http';
import type { TestProject } from 'vitest/node';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresDesk: string;
  }
}

/**
 * One PostgreSQL server for a test run: started when the first test file asks for it, stopped when the run ends. Test
 * files run in processes of their own, so they ask over HTTP.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined;
  const desk = createServer((_, response) => {
    starting ??= startPostgresServer();
    starting.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve));
  const { port } = desk.address() as { port: number };
  project.provide('postgresDesk', `http://127.0.0.1:${port}`);

  return async () => {
    desk.closeAllConnections();
    desk.close();
    const server = await starting?.catch(() => undefined);
    await server?.remove();
  };
}
