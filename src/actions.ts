import type { Actions } from './cli/command.ts';
import type { Config } from './cli/config.ts';
import { version } from './version.ts';

/**
 * What the commands do that need more rooms than the command line knows. Each part is loaded when it is needed: the
 * commands start often and need little.
 */
export const actions: Actions = {
  openBus: connect,

  async serve(config) {
    const { serveUntilStopped } = await import('./serve.ts');
    await serveUntilStopped(config);
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

/** A bus elsewhere, over HTTP. Nothing is sent before the first call. */
async function connect({ baseUrl, timeoutSeconds, writeSecret }: Config) {
  const { createClient } = await import('./http/client.ts');
  return createClient({ baseUrl, timeoutSeconds, writeSecret, userAgent: `bus-mcp/${version}` });
}

/** Standard output belongs to the protocol. */
function toStandardError(sentence: string, cause?: unknown): void {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  process.stderr.write(`bus-mcp: ${sentence}${reason}\n`);
}
