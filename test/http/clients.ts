import { expect, onTestFinished } from 'vitest';
import { BusError, BusUnreachableError } from '../../src/contract/errors.ts';
import { type ClientOptions, createClient } from '../../src/http/client.ts';

export function openClient(options: ClientOptions) {
  const client = createClient(options);
  onTestFinished(() => client.close());
  return client;
}

/** How a call was refused, as the error that it rejected with. */
export async function refusalOf(call: Promise<unknown>): Promise<BusError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(BusError);
  return error as BusError;
}

export async function unreachableOf(call: Promise<unknown>): Promise<BusUnreachableError> {
  const error = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(BusUnreachableError);
  expect((error as Error).message).toContain('bus-mcp serve');
  return error as BusUnreachableError;
}
