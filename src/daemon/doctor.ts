import { toShownUrl } from '../contract/base-url.ts';
import { createClient } from '../http/client.ts';
import type { Admit } from '../http/send.ts';
import { createAdmit } from './admit.ts';
import { checkBus, type SecretUse } from './bus-checks.ts';
import { type Check, fail, ok, warn } from './check.ts';
import { explainSilence, type Finding, findBus } from './find.ts';
import {
  checkData,
  checkDisk,
  checkNode,
  checkPort,
  checkSqlite,
  type FindObstacle,
} from './machine-checks.ts';
import type { Place } from './place.ts';

export type DoctorOptions = Readonly<{
  place: Place;
  /** The address of the bus, when it should not be searched for. */
  baseUrl?: string | undefined;
  /** The address as somebody typed it, perhaps without its path. */
  addressAsGiven?: string | undefined;
  /** Whether the next call starts a bus when none runs. */
  autostart: boolean;
  /** Where calls go when no local bus runs and none may be started. */
  fallbackUrl?: string | undefined;
  host: string;
  port: number;
  version: string;
  timeoutSeconds: number;
  writeSecret?: string | undefined;
  nodeVersion: string;
  /** Returns the name of the SQLite driver, or throws a readable sentence. */
  loadSqlite: () => string;
  findObstacle: FindObstacle;
}>;

/** Checks everything that a bus and its clients need on this machine. Starts nothing and writes nothing. */
export async function examine(options: DoctorOptions): Promise<readonly Check[]> {
  const { baseUrl, findObstacle, loadSqlite, nodeVersion, place } = options;
  const secret = toSecretUse(options);
  if (baseUrl !== undefined) {
    return [
      checkNode(nodeVersion),
      ...checkAddress(options),
      ...(await askBus(options, { baseUrl, remedy: 'check BUS_MCP_BASE_URL, or start that bus', secret })),
    ];
  }
  const finding = await findBus(place);
  return [
    checkNode(nodeVersion),
    ...(place.store.includes('://') ? [] : [checkSqlite(loadSqlite)]),
    checkData(place, findObstacle),
    checkDisk(place),
    checkLog(place, finding),
    await checkPort({ ...options, finding }),
    ...(await checkLocalBus(options, finding)),
  ];
}

function checkAddress({ addressAsGiven, baseUrl = '' }: DoctorOptions): readonly Check[] {
  if (addressAsGiven === undefined || addressAsGiven === baseUrl) return [];
  const finding = `BUS_MCP_BASE_URL names no path; the usual one is tried: ${toShownUrl(baseUrl)}`;
  return [warn('address', finding, 'write the whole address')];
}

/** Where to read more. A bus started with `serve` logs to the terminal it was started in. */
function checkLog({ logFile }: Place, finding: Finding): Check {
  const isElsewhere = finding.state !== 'none' && finding.address.startedBy === 'serve';
  return ok('log', isElsewhere ? 'where serve was started' : logFile);
}

async function checkLocalBus(options: DoctorOptions, finding: Finding): Promise<readonly Check[]> {
  if (finding.state === 'none') return await checkNoBus(options);
  const { processId, startedBy, baseUrl, token } = finding.address;
  if (finding.state === 'silent') {
    const { finding: words, remedy } = explainSilence(finding.address);
    return [fail('process', words, remedy)];
  }
  const leaves = startedBy === 'client' ? 'started by a client, leaves when idle' : 'started with serve';
  const remedy = `look into ${options.place.logFile}, or run bus-mcp down`;
  const asked = { baseUrl, remedy, secret: toSecretUse(options), admit: createAdmit(token) };
  return [ok('process', `${processId} at ${baseUrl}, ${leaves}`), ...(await askBus(options, asked))];
}

function toSecretUse({ writeSecret }: DoctorOptions): SecretUse {
  return writeSecret === undefined ? 'unset' : 'set';
}

async function checkNoBus(options: DoctorOptions): Promise<readonly Check[]> {
  const { autostart, fallbackUrl, place, writeSecret } = options;
  if (autostart) return [ok('bus', 'none runs; the next call starts it')];
  const startIt = 'start one with: bus-mcp serve';
  if (fallbackUrl === undefined) {
    return [fail('bus', `none runs for ${place.store}, and BUS_MCP_AUTOSTART=0 starts none`, startIt)];
  }
  const secret = writeSecret === undefined ? 'unset' : 'withheld';
  return [
    ok('process', `none runs, and BUS_MCP_AUTOSTART=0 starts none: calls go to ${fallbackUrl}`),
    ...(await askBus(options, { baseUrl: fallbackUrl, remedy: startIt, secret })),
  ];
}

type Asked = Readonly<{
  baseUrl: string;
  /** What to do when it does not respond. */
  remedy: string;
  secret: SecretUse;
  admit?: Admit;
}>;

async function askBus(
  { timeoutSeconds, version, writeSecret }: DoctorOptions,
  { baseUrl, remedy, secret, admit }: Asked,
): Promise<readonly Check[]> {
  const sent = secret === 'withheld' ? undefined : writeSecret;
  const bus = createClient({ baseUrl, timeoutSeconds, writeSecret: sent, admit });
  try {
    return await checkBus({ bus, remedy, version, secret, now: Date.now });
  } finally {
    await bus.close();
  }
}
