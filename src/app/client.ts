// The entry point bus-mcp/client, declared in types/client.d.ts: a client for a bus elsewhere, without the engine
// and its store.
export { BusError, BusUnreachableError, isRefusal } from '../contract/errors.ts';
export { createClient } from '../http/client.ts';
