import { BusUnreachableError } from '../contract/errors.ts';
import { type Client, createClient } from '../http/client.ts';
import type { Address } from './address.ts';
import { findBus } from './find.ts';
import { toMismatches, type Wanted } from './mismatch.ts';
import { ensureBus, type RunningBus, type StartOptions, silentWords } from './start.ts';
import { decideUpgrade, type Verdict } from './upgrade.ts';

export type ConnectorOptions = StartOptions &
  Readonly<{
    timeoutSeconds?: number | undefined;
    writeSecret?: string | undefined;
    wanted: Wanted;
    /** Where to call when no local bus runs. Without it one is started; with it nothing ever is. */
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
    const { fallbackUrl, version } = options;
    const found =
      fallbackUrl === undefined
        ? await ensureBus({ ...options, signal: closing.signal })
        : await findRunning(options);
    const address = found?.address;
    const verdict = toVerdict(found, options);
    const isWaiting = verdict === 'replace_when_idle';
    const lookAgainAt = isWaiting ? performance.now() + lookAgainMilliseconds : Number.POSITIVE_INFINITY;
    if (lost && address?.token === lost.address?.token) return { ...lost, lookAgainAt };
    await lost?.client.close();
    if (address)
      tell([...toMismatches(options.wanted, address), ...toUpgradeAdvice(verdict, address, version)]);
    return { client: toClient(address?.baseUrl ?? fallbackUrl ?? '', options), address, lookAgainAt };
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

/** What is meant for a bus that lives and is silent goes to no other. */
async function findRunning({ place }: ConnectorOptions): Promise<RunningBus | undefined> {
  const finding = await findBus(place);
  if (finding.state === 'running') return finding;
  if (finding.state === 'none') return undefined;
  const { processId, baseUrl } = finding.address;
  throw new BusUnreachableError(`process ${processId} ${silentWords}`, baseUrl);
}

/** Who may start nothing replaces nothing either. */
function toVerdict(found: RunningBus | undefined, { fallbackUrl, version }: ConnectorOptions): Verdict {
  if (!found) return 'keep';
  const { address, callsInFlight } = found;
  const verdict = decideUpgrade({ own: version, bus: address, callsInFlight });
  return verdict === 'keep' || fallbackUrl === undefined ? verdict : 'tell';
}

/** A bus that went away is brought back by whoever calls, so the client need not wait for it, unless it may not. */
function toClient(
  baseUrl: string,
  { fallbackUrl, timeoutSeconds, version, writeSecret }: ConnectorOptions,
): Client {
  const userAgent = `bus-mcp/${version}`;
  const waitsForReturn = fallbackUrl !== undefined;
  return createClient({ baseUrl, timeoutSeconds, writeSecret, userAgent, waitsForReturn });
}

function toUpgradeAdvice(verdict: Verdict, address: Address, version: string): readonly string[] {
  const sentence = `the local bus is version ${address.version}, older than this ${version}`;
  const remedy =
    address.startedBy === 'serve' ? 'start its serve command again to upgrade it' : 'bus-mcp up upgrades it';
  if (verdict === 'tell') return [`${sentence}: ${remedy}`];
  return verdict === 'replace_when_idle' ? [`${sentence}: it is replaced when nobody uses it`] : [];
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
