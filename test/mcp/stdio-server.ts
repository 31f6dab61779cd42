/** A process that serves MCP over stdio in front of a scripted bus, and keeps a list of what the bus was asked. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toBusError } from '../../src/contract/errors.ts';
import { createFixedIdentity } from '../../src/mcp/identity.ts';
import { serveMcpOverStdio } from '../../src/mcp/stdio/entry.ts';
import { createScriptedBus, waitForAbort } from './scripted-bus.ts';

const { CALLS_FILE = '', LEASE_S = '300', SLOW_MS = '0' } = process.env;

function note(name: string, { lane }: { lane?: string }): void {
  appendFileSync(CALLS_FILE, `${name} ${lane ?? ''}\n`);
}

const { bus } = createScriptedBus({
  claimLane: (input: { lane: string; owner: string }) => {
    note('claim', input);
    return { ok: true, decision: 'claim', lane: { ...input, fence: 1 }, lease_s: Number(LEASE_S) };
  },
  heartbeatLane: (input: { lane: string }) => {
    note('heartbeat', input);
    throw toBusError('not_holder', 'not held', { lane: input.lane, owner: null, expires_in_s: 0 });
  },
  releaseLane: (input: { lane: string }) => {
    note('release', input);
    return { ok: true };
  },
  postMessage: async (input: { lane?: string }, call) => {
    note('post', input);
    await sleep(Number(SLOW_MS), undefined, { signal: call?.signal });
    note('posted', input);
    return { id: 1 };
  },
  readMessages: (input, call) => {
    note('read', input);
    return waitForAbort(input, call);
  },
});

const log = (sentence: string) => process.stderr.write(`${sentence}\n`);
await serveMcpOverStdio({ bus, identity: createFixedIdentity('session:fixture'), version: '1.2.3', log });
process.exit(0);
