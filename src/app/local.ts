import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../cli/config.ts';
import { toDefaultStorePath, toMachine } from '../cli/folders.ts';
import { type SettingName, settingEntries } from '../cli/settings.ts';
import type { LocalBusOptions } from '../daemon/local-bus.ts';
import { type Place, toPlace } from '../daemon/place.ts';
import { version } from './version.ts';

/** Set in the environment of a bus that a client starts: it leaves when it is idle, and logs to its file. */
export const startedVariable = 'BUS_MCP_STARTED_BY_CLIENT';

/** Where the files of the local bus lie that these settings mean. */
export function toLocalPlace({ store }: Config): Place {
  return toPlace({ store, dataFolder: toDataFolder() });
}

/** Where this user's files lie that belong to no store. */
export function toDataFolder(): string {
  return dirname(toDefaultStorePath(toMachine(process.env)));
}

/** How to find or start the local bus that these settings mean; `tell` says to people what was done. */
export function toLocalBusOptions(config: Config, report: (sentence: string) => void): LocalBusOptions {
  const { timeoutSeconds, writeSecret } = config;
  const place = toLocalPlace(config);
  const given = toBusVariables(config, (isGiven) => isGiven);
  return {
    place,
    command: [process.execPath, fileURLToPath(new URL('./bin.js', import.meta.url)), 'serve'],
    // A flag of this command is news to the bus; its path may be relative to where this command runs.
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

/** Where calls go when no local bus runs and none may be started. Whoever names a store means that store alone. */
export function toFallbackUrl({ autostart, baseUrl, given }: Config): string | undefined {
  return autostart || given.has('store') ? undefined : baseUrl;
}

const namedApart: readonly SettingName[] = ['store', 'writeSecret', 'writeSecretFile'];

/** The settings of a bus by the names of their variables, without the store and the secret. */
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

/** The bus reads the file itself, so that it is the one place where the secret stands. */
function toSecretVariable({ writeSecret, writeSecretFile }: Config): Record<string, string> {
  if (writeSecretFile !== undefined) return { BUS_WRITE_SECRET_FILE: resolve(writeSecretFile) };
  return writeSecret === undefined ? {} : { BUS_WRITE_SECRET: writeSecret };
}

function toStoreVariable({ given, store }: Config, place: Place): Record<string, string> {
  if (!given.has('store')) return {};
  // What is shown of a store elsewhere lacks the password.
  return { BUS_STORE: place.store.includes('://') ? store : place.store };
}
