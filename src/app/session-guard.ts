import type { Config } from '../cli/config.ts';
import type { HeldPath } from '../client-side/denial.ts';
import type { Surroundings } from '../client-side/qualify.ts';
import { createSessionGuard } from '../client-side/session-guard.ts';
import { readAddress } from '../daemon/address.ts';
import { noteGuardRun } from '../daemon/guard-note.ts';
import type { Guard } from '../mcp/guard.ts';
import { connect, toStandardError } from './connect.ts';
import { toDataFolder, toLocalPlace } from './local.ts';

/** The guard of this session: it asks the bus that the session uses, and starts none. */
export async function openSessionGuard(
  config: Config,
  { surroundings, owners }: Readonly<{ surroundings: Surroundings; owners: Iterable<string> }>,
): Promise<Guard> {
  const bus = await connect({ ...config, autostart: false });
  let told = false;
  return createSessionGuard({
    mode: config.guard,
    surroundings,
    owners,
    async checkPaths(paths, signal) {
      if (!isBusThere(config)) return [];
      const { held } = await bus.checkPaths({ paths }, { signal });
      return held as readonly HeldPath[];
    },
    onLooked(problem) {
      noteGuardRun({ dataFolder: toDataFolder(), client: 'claude-code', problem });
      if (problem === undefined || told) return;
      told = true;
      toStandardError(`the guard could not ask the bus, so edits pass: ${problem}`);
    },
  });
}

/** Where no local bus runs, nobody holds anything, and an edit is no reason to start one. */
function isBusThere(config: Config): boolean {
  return config.given.has('baseUrl') || readAddress(toLocalPlace(config).addressFile) !== undefined;
}
