import type { Config } from '../cli/config.ts';
import { isOnThisMachine } from '../cli/values.ts';
import type { Bus } from '../contract/contract.ts';
import { leaveSessionMark } from '../daemon/session-mark.ts';
import { createFixedIdentity } from '../mcp/identity.ts';
import { type StdioOptions, serveMcpOverStdio } from '../mcp/stdio/entry.ts';
import { connect, toStandardError } from './connect.ts';
import { toDataFolder } from './local.ts';
import { version } from './version.ts';

/** Runs the MCP server on standard input and output until its client disconnects. */
export async function serveMcp(config: Config, answered?: StdioOptions['answered']): Promise<void> {
  const bus = await connect(config);
  await serveMcpOverStdio({
    // Other sessions may use the same configured id, so no hook should act on it.
    bus: config.given.has('agentId') ? bus : withMark(bus, config.agentId),
    version,
    identity: createFixedIdentity(config.agentId),
    readOnly: config.readOnly,
    toolNames: config.toolNames,
    channelTopics: config.channelTopics,
    keepAliveMaxSeconds: config.keepAliveSecondsMax,
    isBusHere: isOnThisMachine(config.baseUrl),
    log: toStandardError,
    answered,
  });
}

/** Records the session's id for the end-of-session hook, once there is something to release. */
function withMark(bus: Bus, agentId: string): Bus {
  let isLeft = false;
  return {
    ...bus,
    async claimLane(input, call) {
      const answer = await bus.claimLane(input, call);
      if (!isLeft && input.owner === agentId) {
        isLeft = true;
        const { pid: processId, ppid: parentId } = process;
        leaveSessionMark({ dataFolder: toDataFolder(), agentId, processId, parentId });
      }
      return answer;
    },
  };
}
