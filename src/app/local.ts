import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../cli/config.ts';
import { toDefaultStorePath, toMachine } from '../cli/folders.ts';
import { type SettingName, settingEntries } from '../cli/settings.ts';
import type { LocalBusOptions } from '../daemon/local-bus.ts';
import { type Place, toPlace } from '../daemon/place.ts';
import { version } from './version.ts';

/**
 * Set in the environment of a bus that a client starts: the bus exits when it is idle, and writes its log to its
 * file.
 */
export const startedVariable = 'BUS_MCP_STARTED_BY_CLIENT';

/** Where the files of the local bus are, according to these settings. */
export function toLocalPlace({ store }: Config): Place {
  return toPlace({ store, dataFolder: toDataFolder() });
}

/** The folder for this user's files that belong to no particular store. */
export function toDataFolder(): string {
  return dirname(toDefaultStorePath(toMachine(process.env)));
}

/** How to find or start the local bus, according to these settings. `report` prints what was done. */
export function toLocalBusOptions(config: Config, report: (sentence: string) => void): LocalBusOptions {
  const { timeoutSeconds, writeSecret } = config;
  const place = toLocalPlace(config);
  const given = toBusVariables(config, (isGiven) => isGiven);
  return {
    place,
    command: [process.execPath, fileURLToPath(new URL('./bin.js', import.meta.url)), 'serve'],
    // The bus does not see this command's flags, so pass them as variables. Paths may be relative to where the
    // command runs.
    environment: {
      ...process.env,
      ...given,
      ...toSecretVariable(config),
      ...toStoreVariable(config, place),
      [startedVariable]: '1',
    },
    version,
    report,
    timeoutSeconds,
    writeSecret,
    mayStart: config.autostart,
    fallbackUrl: toFallbackUrl(config),
    wanted: { isSecretArmed: writeSecret !== undefined, settings: given },
  };
}

/**
 * Where calls go when no local bus runs and none may be started. If a store is configured, only its own bus will do.
 */
export function toFallbackUrl({ autostart, baseUrl, given }: Config): string | undefined {
  return autostart || given.has('store') ? undefined : baseUrl;
}

const namedApart: readonly SettingName[] = ['store', 'writeSecret', 'writeSecretFile'];

/** The settings of a bus by variable name, without the store and the secret. */
export function toBusVariables(
  config: Config,
  isWanted: (isGiven: boolean) => boolean = () => true,
): Record<string, string> {
  const entries = settingEntries
    .filter(([name, { readBy }]) => readBy.includes('bus') && isWanted(config.given.has(name)))
    .filter(([name]) => !namedApart.includes(name))
    .map(([name, { environment }]) => [environment, String(config[name])]);
  return Object.fromEntries(entries);
}

/** The bus reads the secret file itself, so the secret is stored in one place only. */
function toSecretVariable({ writeSecret, writeSecretFile }: Config): Record<string, string> {
  if (writeSecretFile !== undefined) return { BUS_WRITE_SECRET_FILE: resolve(writeSecretFile) };
  return writeSecret === undefined ? {} : { BUS_WRITE_SECRET: writeSecret };
}

function toStoreVariable({ given, store }: Config, place: Place): Record<string, string> {
  if (!given.has('store')) return {};
  // The displayed form of a remote store lacks the password.
  return { BUS_STORE: place.store.includes('://') ? store : place.store };
}
