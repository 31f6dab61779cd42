import { BusUnreachableError } from '../contract/errors.ts';
import { commandText } from '../contract/publication.ts';
import { type Client, createClient } from '../http/client.ts';
import type { Address } from './address.ts';
import { createAdmit } from './admit.ts';
import { explainSilence, findBus } from './find.ts';
import { toMismatches, type Wanted } from './mismatch.ts';
import { ensureBus, type RunningBus, type StartOptions } from './start.ts';
import { decideUpgrade, type Verdict } from './upgrade.ts';

export type ConnectorOptions = StartOptions &
  Readonly<{
    timeoutSeconds?: number | undefined;
    writeSecret?: string | undefined;
    wanted: Wanted;
    /** Whether a bus is started, or an older one replaced, when none fits. */
    mayStart: boolean;
    /** Where to call when no local bus runs and none may be started. */
    fallbackUrl?: string | undefined;
  }>;

export type Connection = Readonly<{
  client: Client;
  /** Nothing where the bus is at the fallback. */
  address: Address | undefined;
  /** When to look whether an older bus can be replaced by now. */
  lookAgainAt: number;
}>;

export type Connector = Readonly<{
  /** The connection there is; the first caller makes it. */
  connect(): Promise<Connection>;
  /** The next one after this was lost, or the same with the same bus. */
  reconnect(lost: Connection): Promise<Connection>;
  close(): Promise<void>;
}>;

const lookAgainMilliseconds = 60_000;

/** Keeps one connection to the local bus for any number of calls at once. */
export function createConnector(options: ConnectorOptions): Connector {
  const closing = new AbortController();
  const tell = createTeller(options.tell);
  let current: Promise<Connection> | undefined;

  function forgetOnFailure(opening: Promise<Connection>): Promise<Connection> {
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  }

  /** The same bus again keeps its client: other calls may be under way through it. */
  async function open(lost?: Connection): Promise<Connection> {
    const found = options.mayStart
      ? await ensureBus({ ...options, signal: closing.signal })
      : await findRunning(options);
    const address = found?.address;
    const verdict = toVerdict(found, options);
    const isWaiting = verdict === 'replace_when_idle';
    const lookAgainAt = isWaiting ? performance.now() + lookAgainMilliseconds : Number.POSITIVE_INFINITY;
    if (lost && address?.token === lost.address?.token) return { ...lost, lookAgainAt };
    await lost?.client.close();
    if (address)
      tell([...toMismatches(options.wanted, address), ...toUpgradeAdvice(verdict, address, options)]);
    return { client: openClient(address, options), address, lookAgainAt };
  }

  async function connect(): Promise<Connection> {
    current ??= forgetOnFailure(open());
    const connection = await current;
    return performance.now() < connection.lookAgainAt ? connection : await reconnect(connection);
  }

  /** Concurrent calls that lost the same bus look for the next one together. */
  function reconnect(lost: Connection): Promise<Connection> {
    if (current === undefined) return connect();
    const next = current.then((connection) => (connection === lost ? open(lost) : connection));
    current = forgetOnFailure(next);
    return current;
  }

  async function close(): Promise<void> {
    closing.abort();
    const connection = await current?.catch(() => undefined);
    await connection?.client.close();
  }

  return { connect, reconnect, close };
}

/** A call for a bus that is alive and silent goes to no other bus. */
async function findRunning(options: ConnectorOptions): Promise<RunningBus | undefined> {
  const { place, fallbackUrl } = options;
  const finding = await findBus(place);
  if (finding.state === 'running') return finding;
  if (finding.state === 'silent') {
    const { finding: words, remedy } = explainSilence(finding.address);
    throw new BusUnreachableError(`${words}: ${remedy}`, finding.address.baseUrl);
  }
  if (fallbackUrl !== undefined) return undefined;
  const remedy = `start it with: ${commandText} serve, or unset BUS_MCP_AUTOSTART`;
  throw new BusUnreachableError(
    `no bus runs for the store ${place.store}, and BUS_MCP_AUTOSTART=0 starts none: ${remedy}`,
    place.store,
  );
}

/** Whoever may start nothing replaces nothing either. */
function toVerdict(found: RunningBus | undefined, { mayStart, version }: ConnectorOptions): Verdict {
  if (!found) return 'keep';
  const { address, callsInFlight } = found;
  const verdict = decideUpgrade({ own: version, bus: address, callsInFlight });
  return verdict === 'keep' || mayStart ? verdict : 'tell';
}

/**
 * A client of the bus that was found. The bus has proved who it is, but its process may end, and a program of somebody
 * else may then listen at its port: so each new connection proves it again.
 *
 * What listens at the fallback proves nothing, so it never gets the secret.
 */
function openClient(address: Address | undefined, options: ConnectorOptions): Client {
  const { fallbackUrl = '', mayStart, timeoutSeconds, version, writeSecret } = options;
  const common = {
    timeoutSeconds,
    userAgent: `bus-mcp/${version}`,
    // Whoever may start a bus brings it back at once.
    waitsForReturn: !mayStart,
  };
  if (!address) return createClient({ ...common, baseUrl: fallbackUrl });
  const { baseUrl, token } = address;
  return createClient({ ...common, baseUrl, writeSecret, admit: createAdmit(token) });
}

function toUpgradeAdvice(
  verdict: Verdict,
  address: Address,
  { mayStart, version }: ConnectorOptions,
): readonly string[] {
  const sentence = `the local bus is version ${address.version}, older than this ${version}`;
  if (verdict === 'replace_when_idle') return [`${sentence}: it is replaced when nobody uses it`];
  if (verdict !== 'tell') return [];
  const isServed = address.startedBy === 'serve' || mayStart;
  const remedy = isServed
    ? 'start its serve command again'
    : 'any command without BUS_MCP_AUTOSTART=0 replaces it';
  return [`${sentence}: ${remedy}`];
}

/** Says each sentence once, however often it becomes true. */
function createTeller(tell: (sentence: string) => void) {
  const told = new Set<string>();
  return (sentences: readonly string[]) => {
    for (const sentence of sentences) {
      if (!told.has(sentence)) tell(sentence);
      told.add(sentence);
    }
  };
}
