import type { Actions, OpenedBus } from './cli/command.ts';
import type { Config } from './cli/config.ts';
import { startedVariable, toLocalBusOptions } from './local.ts';
import { version } from './version.ts';

/**
 * What the commands do that need more rooms than the command line knows. Each part is loaded when it is needed: the
 * commands start often and need little.
 */
export const actions: Actions = {
  openBus: connect,

  async serve(config) {
    const { serveUntilIdle, serveUntilStopped } = await import('./serve.ts');
    const isStarted = process.env[startedVariable] !== undefined;
    await (isStarted ? serveUntilIdle(config) : serveUntilStopped(config));
  },

  async mcp(config) {
    const { serveMcpOverStdio } = await import('./mcp/entry.ts');
    await serveMcpOverStdio({
      bus: await connect(config),
      version,
      agentId: config.agentId,
      readOnly: config.readOnly,
      keepAliveMaxSeconds: config.keepAliveSecondsMax,
      log: toStandardError,
    });
  },
};

/** The local bus, or one elsewhere. Nothing is sent or started before the first call. */
async function connect(config: Config): Promise<OpenedBus> {
  if (config.autostart) {
    const { createLocalBus } = await import('./daemon/local-bus.ts');
    return createLocalBus(toLocalBusOptions(config, toStandardError));
  }
  const { createClient } = await import('./http/client.ts');
  const { baseUrl, timeoutSeconds, writeSecret } = config;
  return createClient({ baseUrl, timeoutSeconds, writeSecret, userAgent: `bus-mcp/${version}` });
}

/** Standard output belongs to the protocol. */
function toStandardError(sentence: string, cause?: unknown): void {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  process.stderr.write(`bus-mcp: ${sentence}${reason}\n`);
}
