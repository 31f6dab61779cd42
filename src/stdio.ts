import type { Config } from './cli/config.ts';
import { connect, toStandardError } from './connect.ts';
import { type StdioOptions, serveMcpOverStdio } from './mcp/entry.ts';
import { version } from './version.ts';

/** Runs the MCP server over standard input and output, until its client leaves. */
export async function serveMcp(config: Config, answered?: StdioOptions['answered']): Promise<void> {
  await serveMcpOverStdio({
    bus: await connect(config),
    version,
    agentId: config.agentId,
    readOnly: config.readOnly,
    toolNames: config.toolNames,
    channelTopics: config.channelTopics,
    keepAliveMaxSeconds: config.keepAliveSecondsMax,
    log: toStandardError,
    answered,
  });
}
