import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Config } from '../cli/config.ts';
import { isOnThisMachine } from '../cli/values.ts';
import { findSurroundings } from '../client-side/project.ts';
import { qualifyInput, toScopedBus } from '../client-side/scoped-bus.ts';
import type { Bus } from '../contract/contract.ts';
import { createJoiningIdentity } from '../mcp/joining.ts';
import { type StdioOptions, serveMcpOverStdio } from '../mcp/stdio/entry.ts';
import { connect, toStandardError } from './connect.ts';
import { openSessionGuard } from './session-guard.ts';
import { version } from './version.ts';

/** Runs the MCP server on standard input and output until its client disconnects. */
export async function serveMcp(config: Config, answered?: StdioOptions['answered']): Promise<void> {
  const surroundings = findSurroundings({ said: process.env.CLAUDE_PROJECT_DIR, ...config });
  const owners = new Set<string>();
  const bus = toScopedBus(withOwners(await connect(config), owners), surroundings);
  await serveMcpOverStdio({
    bus,
    version,
    // Joining is a write, and a server that only reads acts as nobody.
    identity: config.readOnly ? undefined : toIdentity(bus, config),
    readOnly: config.readOnly,
    toolNames: config.toolNames,
    channelTopics: config.channelTopics,
    keepAliveMaxSeconds: config.keepAliveSecondsMax,
    isBusHere: isOnThisMachine(config.baseUrl),
    toScopes: (given) => qualifyInput(given, surroundings),
    guard: await openSessionGuard(config, { surroundings, owners }),
    log: toStandardError,
    answered,
  });
}

/** Learns under which ids this session has claimed: some agents make up an owner. */
function withOwners<Given extends Bus>(bus: Given, owners: Set<string>): Given {
  return {
    ...bus,
    async claimLane(input, call) {
      const answer = await bus.claimLane(input, call);
      owners.add(input.owner);
      return answer;
    },
  };
}

function toIdentity(bus: Bus, config: Config) {
  const { env: environment } = process;
  return createJoiningIdentity({
    bus,
    environment,
    ownKey: randomUUID(),
    place: basename(environment.CLAUDE_PROJECT_DIR || process.cwd()),
    wished: config.given.has('agentId') ? config.agentId : undefined,
  });
}
