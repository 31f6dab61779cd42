import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import type { Config } from '../cli/config.ts';
import { isOnThisMachine } from '../cli/values.ts';
import type { Bus } from '../contract/contract.ts';
import { createJoiningIdentity } from '../mcp/joining.ts';
import { type StdioOptions, serveMcpOverStdio } from '../mcp/stdio/entry.ts';
import { connect, toStandardError } from './connect.ts';
import { version } from './version.ts';

/** Runs the MCP server on standard input and output until its client disconnects. */
export async function serveMcp(config: Config, answered?: StdioOptions['answered']): Promise<void> {
  const bus = await connect(config);
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
    log: toStandardError,
    answered,
  });
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
