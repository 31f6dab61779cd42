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
    /** Whether to start a bus, or replace an older one, when there is no suitable one. */
    mayStart: boolean;
    /** Where to call when no local bus runs and none may be started. */
    fallbackUrl?: string | undefined;
  }>;

export type Connection = Readonly<{
  client: Client;
  /** Undefined when the bus is at the fallback address. */
  address: Address | undefined;
  /** When to check again whether an older bus can be replaced. */
  checkAgainAt: number;
}>;

export type Connector = Readonly<{
  /** Returns the current connection; the first caller opens it. */
  connect(): Promise<Connection>;
  /** Returns a new connection after this one was lost. If the same bus still runs, it returns the same one. */
  reconnect(lost: Connection): Promise<Connection>;
  close(): Promise<void>;
}>;

const checkAgainMilliseconds = 60_000;

/** Keeps one connection to the local bus, shared by all calls. */
export function createConnector(options: ConnectorOptions): Connector {
  const closing = new AbortController();
  const report = createReporter(options.report);
  let current: Promise<Connection> | undefined;

  function forgetOnFailure(opening: Promise<Connection>): Promise<Connection> {
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  }

  /** If it is the same bus, keep its client: other calls may be in progress on it. */
  async function open(lost?: Connection): Promise<Connection> {
    const found = options.mayStart
      ? await ensureBus({ ...options, signal: closing.signal })
      : await findRunning(options);
    const address = found?.address;
    const verdict = toVerdict(found, options);
    const isWaiting = verdict === 'replace_when_idle';
    const checkAgainAt = isWaiting ? performance.now() + checkAgainMilliseconds : Number.POSITIVE_INFINITY;
    if (lost && address?.token === lost.address?.token) return { ...lost, checkAgainAt };
    await lost?.client.close();
    if (address)
      report([...toMismatches(options.wanted, address), ...toUpgradeAdvice(verdict, address, options)]);
    return { client: openClient(address, options), address, checkAgainAt };
  }

  async function connect(): Promise<Connection> {
    current ??= forgetOnFailure(open());
    const connection = await current;
    return performance.now() < connection.checkAgainAt ? connection : await reconnect(connection);
  }

  /** Concurrent calls that lost the same bus share one search for the next. */
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

/** If a bus is alive but does not respond, its calls must not go to another bus. */
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

/** Without permission to start a bus, do not replace one either. */
function toVerdict(found: RunningBus | undefined, { mayStart, version }: ConnectorOptions): Verdict {
  if (!found) return 'keep';
  const { address, callsInFlight } = found;
  const verdict = decideUpgrade({ own: version, bus: address, callsInFlight });
  return verdict === 'keep' || mayStart ? verdict : 'report';
}

/**
 * Creates a client for the bus that was found. The bus has proved its identity, but its process may end, and a
 * stranger's program may then listen on its port. So each new connection has to prove it again.
 *
 * Whatever listens at the fallback address proves nothing, so it never receives the secret.
 */
function openClient(address: Address | undefined, options: ConnectorOptions): Client {
  const { fallbackUrl = '', mayStart, timeoutSeconds, version, writeSecret } = options;
  const common = {
    timeoutSeconds,
    userAgent: `bus-mcp/${version}`,
    // A caller that may start a bus starts it again at once instead of waiting.
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
  if (verdict !== 'report') return [];
  const isServed = address.startedBy === 'serve' || mayStart;
  const remedy = isServed
    ? 'start its serve command again'
    : 'any command without BUS_MCP_AUTOSTART=0 replaces it';
  return [`${sentence}: ${remedy}`];
}

/** Reports each sentence once, however often it applies. */
function createReporter(report: (sentence: string) => void) {
  const told = new Set<string>();
  return (sentences: readonly string[]) => {
    for (const sentence of sentences) {
      if (!told.has(sentence)) report(sentence);
      told.add(sentence);
    }
  };
}
