import type pg from 'pg';
import { createOutage, type Notify } from '../notice.ts';
import { NoHostError, reasonOf } from './errors.ts';
import type { PostgresLocation, Way } from './location.ts';
import { createRowReader } from './read.ts';
import { createSession, type Session } from './session.ts';

/** `hasTimeout: false` is for work that may take long. Everything else gives up when the server does not respond. */
export type Connect = (purpose: string, options?: ConnectOptions) => Promise<Session>;
type ConnectOptions = Readonly<{ hasTimeout?: boolean }>;

type ClientLibrary = typeof pg;

/**
 * How long to wait for a host that does not respond. Together with the statement timeout it stays well below the
 * time a client waits for a response, so the client hears the reason instead of giving up.
 */
const connectMilliseconds = 2_000;
/** A statement that takes longer has lost its server, so the connection is given up. */
const statementMilliseconds = 5_000;

/**
 * The settings of every connection.
 *
 * READ COMMITTED, whatever the role or database defaults to: locks put the commits in order, and a snapshot taken
 * before the lock would miss rows.
 *
 * A bus that stops in the middle of a transaction must not keep the order lock from the other buses, hence the
 * timeout.
 *
 * A commit that was acknowledged survives a power cut.
 *
 * Every query has an index made for it, so plans are made once. Without these switches the planner could guess from
 * statistics of a table that was empty a moment ago.
 */
const settings = `
SET default_transaction_isolation = 'read committed';
SET idle_in_transaction_session_timeout = 2000;
SET lock_timeout = 4000;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
`;

/** Connects to the first host of the URL that accepts writes, starting with the one that did last time. */
export async function createConnect(location: PostgresLocation, notify?: Notify): Promise<Connect> {
  const library = await loadClientLibrary();
  const { ways, schema } = location;
  const outage = createOutage({
    notify,
    failing: 'the database cannot be used',
    working: 'the database can be used again',
  });
  let first = 0;
  let host: string | undefined;

  const connect: Connect = async (purpose, options) => {
    try {
      const session = await connectToFirst(purpose, options);
      void session.lost.then((error) => error && outage.fails(purpose, reasonOf(error)));
      outage.works(purpose, { host });
      return session;
    } catch (error) {
      // At startup the caller reports the failure itself.
      if (host !== undefined) outage.fails(purpose, reasonOf(error));
      throw error;
    }
  };

  async function connectToFirst(
    purpose: string,
    { hasTimeout = true }: ConnectOptions = {},
  ): Promise<Session> {
    const reasons: string[] = [];
    for (let tried = 0; tried < ways.length; tried += 1) {
      const index = (first + tried) % ways.length;
      const way = ways[index] as Way;
      try {
        const client = createClient(library, {
          application_name: `bus-mcp ${purpose}`,
          connectionString: way.connectionString,
          query_timeout: hasTimeout ? statementMilliseconds : undefined,
        });
        const session = await openSession(client, schema);
        first = index;
        noteHost(way.host);
        return session;
      } catch (error) {
        if (ways.length === 1) throw error;
        reasons.push(reasonOf(error));
      }
    }
    throw new NoHostError(reasons);
  }

  function noteHost(found: string): void {
    if (host !== undefined && found !== host) {
      notify?.({
        level: 'warn',
        message: 'the database is at another host now',
        data: { host: found, before: host },
      });
    }
    host = found;
  }

  return connect;
}

async function loadClientLibrary(): Promise<ClientLibrary> {
  let library: ClientLibrary;
  try {
    ({ default: library } = await import('pg'));
  } catch {
    throw new Error('PostgreSQL needs its client library: run npm install pg beside bus-mcp');
  }
  if (new library.Client().pipeline === undefined) {
    throw new Error('the client library of PostgreSQL is too old: run npm install pg@^8.23.0 beside bus-mcp');
  }
  return library;
}

const int8 = 20;

function createClient(library: ClientLibrary, config: pg.ClientConfig): pg.Client {
  const getTypeParser: typeof library.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : library.types.getTypeParser(oid, format as 'text');
  return new library.Client({
    ...config,
    connectionTimeoutMillis: connectMilliseconds,
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser },
  });
}

async function openSession(client: pg.Client, schema: string): Promise<Session> {
  const session = createSession(client);
  try {
    await client.connect();
    await client.query(`SET search_path TO "${schema}"; ${settings}`);
    if (await createRowReader(session.ask, '').isReadOnly()) throw new Error('it is a standby or read-only');
    return session;
  } catch (error) {
    session.end().catch(() => {});
    throw error;
  }
}
