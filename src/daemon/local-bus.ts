import { randomUUID } from 'node:crypto';
import { type Bus, type Call, contract, type OperationName, operationNames } from '../contract/contract.ts';
import { BusError, BusUnreachableError, isRefusal } from '../contract/errors.ts';
import { isWrite } from '../contract/operation.ts';
import { type Client, createClient } from '../http/client.ts';
import type { Address } from './address.ts';
import { toMismatches, toSecretAdvice, type Wanted } from './mismatch.ts';
import { ensureBus, type StartOptions } from './start.ts';
import { decideUpgrade } from './upgrade.ts';

export type LocalBusOptions = StartOptions &
  Readonly<{
    timeoutSeconds?: number | undefined;
    writeSecret?: string | undefined;
    wanted: Wanted;
  }>;

export type LocalBus = Bus & Readonly<{ close(): Promise<void> }>;

type Connection = Readonly<{
  client: Client;
  address: Address;
  /** When to look whether an older bus can be replaced by now. */
  lookAgainAt: number;
}>;

const lookAgainMilliseconds = 60_000;

/**
 * The bus of this user on this machine. The first call finds it or starts it; a call that finds it gone does so again,
 * once. Writes keep their idempotency key over that, so nothing is done twice.
 */
export function createLocalBus(options: LocalBusOptions): LocalBus {
  const { tell, timeoutSeconds, version, wanted, writeSecret } = options;
  const told = new Set<string>();
  let current: Promise<Connection> | undefined;

  function connect(): Promise<Connection> {
    current ??= forgetOnFailure(open());
    return current;
  }

  /** Concurrent calls that lost the same bus look for the next one together. */
  function reconnect(lost: Connection): Promise<Connection> {
    const previous = current;
    if (previous === undefined) return connect();
    const next = previous.then((connection) => (connection === lost ? open(lost) : connection));
    current = forgetOnFailure(next);
    return current;
  }

  function forgetOnFailure(opening: Promise<Connection>): Promise<Connection> {
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    return opening;
  }

  /** The same bus again keeps its client: other calls may be under way through it. */
  async function open(lost?: Connection): Promise<Connection> {
    const { address, callsInFlight } = await ensureBus(options);
    const verdict = decideUpgrade({ own: version, bus: address, callsInFlight });
    const lookAgainAt =
      verdict === 'replace_when_idle' ? performance.now() + lookAgainMilliseconds : Number.POSITIVE_INFINITY;
    if (address.token === lost?.address.token) return { ...lost, lookAgainAt };
    await lost?.client.close();
    tellOnce([...toMismatches(wanted, address), ...toUpgradeAdvice(verdict, address)]);
    const { baseUrl } = address;
    const client = createClient({ baseUrl, timeoutSeconds, writeSecret, userAgent: `bus-mcp/${version}` });
    return { client, address, lookAgainAt };
  }

  function tellOnce(sentences: readonly string[]): void {
    for (const sentence of sentences) {
      if (!told.has(sentence)) tell(sentence);
      told.add(sentence);
    }
  }

  function toUpgradeAdvice(verdict: ReturnType<typeof decideUpgrade>, address: Address): string[] {
    const sentence = `the local bus is version ${address.version}, older than this ${version}`;
    if (verdict === 'tell') return [`${sentence}: start its serve command again to upgrade it`];
    return verdict === 'replace_when_idle' ? [`${sentence}: it is replaced when nobody uses it`] : [];
  }

  async function operate(name: OperationName, input: never, given: Call = {}): Promise<unknown> {
    const call = isWrite(contract[name])
      ? { ...given, idempotencyKey: given.idempotencyKey ?? createKey() }
      : given;
    const first = await untilAborted(connectFreshly(), call.signal);
    try {
      return await first.client[name](input, call);
    } catch (error) {
      if (!isGone(error)) throw explain(error, first);
      const second = await untilAborted(reconnect(first), call.signal);
      if (second.address.token === first.address.token) throw error;
      return await second.client[name](input, call).catch((reason) =>
        Promise.reject(explain(reason, second)),
      );
    }
  }

  async function connectFreshly(): Promise<Connection> {
    const connection = await connect();
    return performance.now() < connection.lookAgainAt ? connection : await reconnect(connection);
  }

  function explain(error: unknown, { address }: Connection): unknown {
    if (!isRefusal(error, 'unauthorized')) return error;
    const { status, detail, code, data } = error;
    const advice = toSecretAdvice(address, writeSecret !== undefined);
    return new BusError({ status, detail: `${detail}; ${advice}`, code, data });
  }

  async function close(): Promise<void> {
    const connection = await current?.catch(() => undefined);
    await connection?.client.close();
  }

  const operations = operationNames.map((name) => [
    name,
    (input: never, call?: Call) => operate(name, input, call),
  ]);
  return { ...(Object.fromEntries(operations) as Bus), close };
}

/** Nobody answered, or somebody who is no bus of ours: our refusals carry a code. */
function isGone(error: unknown): boolean {
  return error instanceof BusUnreachableError || (error instanceof BusError && error.code === undefined);
}

/** Begins with the time, as the keys of the client do, so that a store that sorts them appends. */
function createKey(): string {
  return `${Date.now().toString(36)}-${randomUUID()}`;
}

/** A caller who gives up is not held by a start that others still wait for. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
