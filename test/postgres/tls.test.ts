import { chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEngine } from '../../src/app/compose.ts';
import { writerFile } from '../build.ts';
import { useFolder } from '../folder.ts';
import { until } from '../suite/ask.ts';
import { createTestSchemaOn, type TestSchema } from '../suite/postgres.ts';
import { type PostgresServer, serverPassword, startPostgresServer } from '../suite/postgres-server.ts';
import { openOwnBus } from './buses.ts';
import { createAuthority, createServerCertificate } from './certificates.ts';

let server: PostgresServer;
let place: TestSchema;
const folder = useFolder();
beforeAll(async () => {
  const authority = createAuthority('the authority');
  await writeFile(join(folder, 'authority.crt'), authority.certificate);
  await writeFile(join(folder, 'other.crt'), createAuthority('another').certificate);
  server = await startPostgresServer();
  place = createTestSchemaOn(server.url);
  const { certificate, key } = createServerCertificate('localhost', authority);
  const [found] = await place.ask('SHOW data_directory');
  const data = String(found?.data_directory);
  const { uid, gid } = await stat(data);
  for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    await chown(join(data, name), uid, gid);
  }
  await place.ask('ALTER SYSTEM SET ssl = on');
  await place.ask('SELECT pg_reload_conf()');
  await until('it speaks TLS', async () => (await place.ask('SHOW ssl'))[0]?.ssl === 'on');
});
afterAll(async () => {
  await server.remove();
});

const urlOf = (host: string, parameters: string) =>
  `${place.url.replace('127.0.0.1', host)}&${parameters.replaceAll('FOLDER', folder)}`;

/** Whether the connections of the buses that run are encrypted. */
async function lookAtConnections(): Promise<unknown[]> {
  const rows = await place.ask(
    `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'bus-mcp %'`,
  );
  return rows.map(({ ssl }) => ssl);
}

test.each([
  ['127.0.0.1', 'sslmode=disable', false],
  ['127.0.0.1', 'sslmode=prefer', true],
  ['127.0.0.1', 'sslmode=require', true],
  ['127.0.0.1', 'sslmode=no-verify', true],
  ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=FOLDER/authority.crt', true],
  ['localhost', 'sslmode=verify-full&sslrootcert=FOLDER/authority.crt', true],
])('at %s with %s: encrypted %s', async (host, parameters, isEncrypted) => {
  const { bus, close } = await openOwnBus(urlOf(host, parameters));
  await bus.postMessage({ topic: 'log', sender: 'ada', body: 'hello' });
  await bus.getBusStatus({});
  expect(await lookAtConnections()).toEqual([isEncrypted]);
  await close();
});

test.each([
  ['127.0.0.1', 'sslmode=verify-full&sslrootcert=FOLDER/authority.crt', /\(ERR_TLS_CERT_ALTNAME_INVALID\)/],
  ['localhost', 'sslmode=verify-full&sslrootcert=FOLDER/other.crt', /\(\w*SELF_SIGNED|UNABLE_TO_\w+\)/],
  ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=FOLDER/other.crt', /SELF_SIGNED|UNABLE_TO_/],
  ['localhost', 'sslmode=verify-full', /SELF_SIGNED|UNABLE_TO_/],
  ['localhost', 'sslmode=verify-ca', /^sslmode=verify-ca in the URL of the database needs sslrootcert/],
  [
    'localhost',
    'sslmode=verify-full&sslrootcert=FOLDER/none.crt',
    /the file \S+\/none\.crt cannot be read \(ENOENT\)/,
  ],
  ['localhost,127.0.0.1', 'sslmode=require&sslcert=FOLDER/none.crt', /none\.crt cannot be read \(ENOENT\)/],
])('at %s with %s: refused', async (host, parameters, words) => {
  const refusal = await openEngine({ store: urlOf(host, parameters), writerFile }).then(
    ({ close }) => close().then(() => 'it was opened'),
    (error: Error) => error.message,
  );
  expect(refusal).toMatch(words);
  expect(refusal).not.toContain(serverPassword);
});
