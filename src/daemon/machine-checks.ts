import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Check, fail, ok, warn } from './check.ts';
import type { Finding } from './find.ts';
import type { Place } from './place.ts';
import { findPortUse } from './port.ts';

const nodeVersionMin = [20, 12] as const;
const freeBytesMin = 50_000_000;
const freeBytesFew = 1_000_000_000;

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [majorMin, minorMin] = nodeVersionMin;
  const isNewEnough = major > majorMin || (major === majorMin && minor >= minorMin);
  return isNewEnough
    ? ok('node', version)
    : fail('node', `${version} is too old`, `use Node.js ${nodeVersionMin.join('.')} or newer`);
}

/** `load` returns the name of the driver, or throws a readable sentence. */
export function checkSqlite(load: () => string): Check {
  try {
    const name = load();
    return ok('sqlite', name === 'node:sqlite' ? `${name}, part of Node.js` : `the package ${name}`);
  } catch (error) {
    const [finding = '', remedy = ''] = (error as Error).message.split(': ');
    return fail('sqlite', finding, remedy);
  }
}

/** What keeps a bus from starting on its data, and what to do about it; undefined when all is well. */
export type FindObstacle = (store: string) => Readonly<{ finding: string; remedy: string }> | undefined;

/** This check creates and changes nothing. */
export function checkData({ store, folder }: Place, findObstacle: FindObstacle = () => undefined): Check {
  if (store.includes('://')) return ok('data', `${store}; beside it, files in ${folder}`);
  const remedy = 'make it writable for this user, or name another file with BUS_STORE';
  const nearest = toExisting(folder);
  if (!isWritable(nearest) || !statSync(nearest).isDirectory()) {
    return fail('data', `${store} cannot be kept, ${nearest} is no folder that can be written`, remedy);
  }
  const obstacle = findObstacle(store);
  if (obstacle) return fail('data', obstacle.finding, obstacle.remedy);
  if (!existsSync(store)) return ok('data', `${store}, made at the first start`);
  return isWritable(store)
    ? ok('data', `${store}, can be written`)
    : fail('data', `${store} cannot be written`, remedy);
}

export function checkDisk({ folder }: Place): Check {
  try {
    const { bavail, bsize } = statfsSync(toExisting(folder));
    const bytes = bavail * bsize;
    const finding = `${toAmount(bytes)} free in ${folder}`;
    if (bytes < freeBytesMin) return fail('disk', finding, 'make room: without it the bus takes no writes');
    return bytes < freeBytesFew ? warn('disk', finding, 'make room before it is full') : ok('disk', finding);
  } catch (error) {
    return warn('disk', `unknown (${(error as Error).message})`, `look at the disk of ${folder}`);
  }
}

export async function checkPort(
  asked: Readonly<{ host: string; port: number; finding: Finding }>,
): Promise<Check> {
  const { host, port, finding } = asked;
  if (port === 0) return ok('port', 'any free one');
  if (finding.state !== 'none' && Number(new URL(finding.address.baseUrl).port) === port) {
    return ok('port', `${port} is where the local bus listens`);
  }
  const found = await findPortUse({ host, port });
  if (found.use === 'free') return ok('port', `${port} is free`);
  const remedy =
    found.use === 'bus'
      ? `the local bus takes another port; to use that one, set BUS_MCP_BASE_URL=http://${host}:${port}/api/bus`
      : 'the local bus takes another port, and clients on this machine find it; to choose one, set BUS_PORT';
  return warn('port', `${port} is taken by ${found.who}`, remedy);
}

/** The folder, or its nearest parent that exists. */
function toExisting(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function toAmount(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.floor(bytes / 1e6)} MB`;
}
