import { createClient } from '../http/client.ts';
import { checkBus } from './bus-checks.ts';
import { type Check, fail, ok } from './check.ts';
import { type Finding, findBus } from './find.ts';
import {
  checkData,
  checkDisk,
  checkNode,
  checkPort,
  checkSqlite,
  type FindObstacle,
} from './machine-checks.ts';
import type { Place } from './place.ts';
import { silentWords } from './start.ts';

export type DoctorOptions = Readonly<{
  place: Place;
  /** Where the bus is when it is not to be looked for. */
  baseUrl?: string | undefined;
  /** Where calls go when no local bus runs; without it the next one starts it. */
  fallbackUrl?: string | undefined;
  host: string;
  port: number;
  version: string;
  timeoutSeconds: number;
  writeSecret?: string | undefined;
  nodeVersion: string;
  /** Answers the name of the SQLite driver, or throws a sentence for people. */
  loadSqlite: () => string;
  findObstacle: FindObstacle;
}>;

/** Looks at everything that a bus and its clients need here. Starts nothing, writes nothing. */
export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const { baseUrl, findObstacle, loadSqlite, nodeVersion, place } = options;
  if (baseUrl !== undefined) {
    return [
      checkNode(nodeVersion),
      ...(await askBus(options, baseUrl, 'check BUS_MCP_BASE_URL, or start that bus')),
    ];
  }
  const finding = await findBus(place);
  return [
    checkNode(nodeVersion),
    ...(place.store.includes('://') ? [] : [checkSqlite(loadSqlite)]),
    checkData(place, findObstacle),
    checkDisk(place),
    await checkPort({ ...options, finding }),
    ...(await checkLocalBus(options, finding)),
  ];
}

async function checkLocalBus(options: DoctorOptions, finding: Finding): Promise<readonly Check[]> {
  if (finding.state === 'none') return await checkNoBus(options);
  const { processId, startedBy, baseUrl } = finding.address;
  if (finding.state === 'silent') {
    return [
      fail('process', `${processId} ${silentWords.split(':')[0]}`, `end it with: kill -9 ${processId}`),
    ];
  }
  const leaves = startedBy === 'client' ? 'started by a client, leaves when idle' : 'started with serve';
  return [
    ok('process', `${processId} at ${baseUrl}, ${leaves}`),
    ...(await askBus(options, baseUrl, `look into ${options.place.logFile}, or run bus-mcp down`)),
  ];
}

async function checkNoBus(options: DoctorOptions): Promise<readonly Check[]> {
  const { fallbackUrl } = options;
  if (fallbackUrl === undefined) return [ok('bus', 'none runs; the next call starts it')];
  return [
    ok('process', `none runs, and BUS_MCP_AUTOSTART=0 starts none: calls go to ${fallbackUrl}`),
    ...(await askBus(options, fallbackUrl, 'start one with: bus-mcp up')),
  ];
}

async function askBus(options: DoctorOptions, baseUrl: string, remedy: string): Promise<readonly Check[]> {
  const { timeoutSeconds, version, writeSecret } = options;
  const bus = createClient({ baseUrl, timeoutSeconds, writeSecret });
  try {
    const hasSecret = writeSecret !== undefined;
    return await checkBus({ bus, remedy, version, hasSecret, now: Date.now });
  } finally {
    await bus.close();
  }
}
