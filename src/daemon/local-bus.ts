import { type Bus, type Call, contract, type OperationName, operationNames } from '../contract/contract.ts';
import { BusError, BusUnreachableError, isRefusal } from '../contract/errors.ts';
import { createKeyMaker } from '../contract/keys.ts';
import { isWrite } from '../contract/operation.ts';
import type { Address } from './address.ts';
import { type Connection, type ConnectorOptions, createConnector } from './connection.ts';
import { keptSecretAdvice, toSecretAdvice } from './mismatch.ts';

export type LocalBusOptions = ConnectorOptions;

export type LocalBus = Bus & Readonly<{ close(): Promise<void> }>;

/**
 * The bus of this user on this machine. The first call finds it or starts it. If a later call finds that the bus is
 * gone, it searches and starts once more. Writes keep their idempotency key across the two attempts, so nothing
 * happens twice.
 */
export function createLocalBus(options: LocalBusOptions): LocalBus {
  const { connect, reconnect, close } = createConnector(options);
  const hasSecret = options.writeSecret !== undefined;
  const nextKey = createKeyMaker();

  async function operate(name: OperationName, input: never, given: Call = {}): Promise<unknown> {
    // Both attempts use the same key.
    const call = isWrite(contract[name]) ? { idempotencyKey: nextKey(), ...given } : given;
    const attempt = ({ client, address }: Connection): Promise<unknown> =>
      client[name](input, call).catch((error) => Promise.reject(explain(error, address, hasSecret)));
    const first = await untilAborted(connect(), call.signal);
    try {
      return await attempt(first);
    } catch (error) {
      if (!isGone(error)) throw error;
      const second = await untilAborted(reconnect(first), call.signal);
      // The same bus is still there, so it was slow rather than gone. A second attempt would only wait as long
      // again.
      if (second.address?.token === first.address?.token) throw error;
      return await attempt(second);
    }
  }

  const operations = operationNames.map((name) => [
    name,
    (input: never, call?: Call) => operate(name, input, call),
  ]);
  return { ...(Object.fromEntries(operations) as Bus), close };
}

/** If the secret was refused, say which bus refused it and what to do. */
function explain(error: unknown, address: Address | undefined, hasSecret: boolean): unknown {
  if (!isRefusal(error, 'unauthorized') || (!address && !hasSecret)) return error;
  const { status, detail, code, data } = error;
  const advice = address ? toSecretAdvice(address, hasSecret) : keptSecretAdvice;
  return new BusError({ status, detail: `${detail}; ${advice}`, code, data });
}

/** Nobody responded, or a program that is not our bus: our refusals carry a code. */
function isGone(error: unknown): boolean {
  return error instanceof BusUnreachableError || (error instanceof BusError && error.code === undefined);
}

/** Lets a caller give up on a start that others are still waiting for. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
