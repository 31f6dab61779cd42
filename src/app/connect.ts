import type { OpenedBus } from '../cli/command.ts';
import type { Config } from '../cli/config.ts';
import { toLocalBusOptions } from './local.ts';
import { openRootlessBus, toAddressesWithPath } from './rootless.ts';
import { version } from './version.ts';

/** Connects to the local bus, or to the one that was configured. Sends and starts nothing before the first call. */
export async function connect(config: Config): Promise<OpenedBus> {
  if (!config.given.has('baseUrl')) {
    const { createLocalBus } = await import('../daemon/local-bus.ts');
    return createLocalBus(toLocalBusOptions(config, toStandardError));
  }
  const { createClient } = await import('../http/client.ts');
  const { timeoutSeconds, writeSecret } = config;
  const open = (baseUrl: string) =>
    createClient({ baseUrl, timeoutSeconds, writeSecret, userAgent: `bus-mcp/${version}` });
  const { baseUrl } = config;
  if (toAddressesWithPath(baseUrl) === baseUrl) return open(baseUrl);
  return openRootlessBus({ baseUrl, open, report: toStandardError });
}

/** Standard output carries the protocol, so messages go to standard error. */
export function toStandardError(sentence: string, cause?: unknown): void {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  process.stderr.write(`bus-mcp: ${sentence}${reason}\n`);
}
