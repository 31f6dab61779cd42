import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { BusUnreachableError } from '../contract/errors.ts';
import { commandText } from '../contract/publication.ts';
import { inheritedVariable, listInheritable } from './descriptors.ts';
import { explainSilence, type Finding, findBus } from './find.ts';
import { sizeOf, withOpenLog } from './log-file.ts';
import { readLastLine } from './log-lines.ts';
import type { Place } from './place.ts';
import { findPortUse } from './port.ts';
import { takeStartLock } from './starting.ts';
import { stopBus } from './stop.ts';
import { decideUpgrade } from './upgrade.ts';

export type StartOptions = Readonly<{
  place: Place;
  /** The command line that runs a bus. */
  command: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** The version of the caller; an older bus may be replaced. */
  version: string;
  /** Reports to people what was done. */
  report: (sentence: string) => void;
  /** Aborted when nobody needs the bus any more. A bus that was already started keeps running. */
  signal?: AbortSignal | undefined;
}>;

export type RunningBus = Extract<Finding, { state: 'running' }>;

const startMillisecondsMax = 15_000;

/**
 * Returns the running bus of the place, and starts one if there is none.
 *
 * Any number of processes may ask at once: one of them starts the bus, and the others find it. Rejects with
 * `BusUnreachableError` when no bus could be started in time.
 */
export async function ensureBus(options: StartOptions): Promise<RunningBus> {
  const { place, signal } = options;
  const giveUpAt = performance.now() + startMillisecondsMax;
  let reason = 'another process has been starting it for too long';
  let starts = 0;
  let startAgainAt = 0;
  while (performance.now() < giveUpAt && !signal?.aborted) {
    const finding = await findBus(place);
    const fit = toFit(finding, options);
    if (fit) return fit;
    const startLock = performance.now() < startAgainAt ? undefined : tryStartLock(place);
    try {
      if (startLock) {
        const started = await startUnderLock(options, giveUpAt);
        if (!('reason' in started)) return started;
        reason = started.reason;
        if (started.hasStarted) {
          startAgainAt = performance.now() + toBackOff(starts);
          starts += 1;
        }
      }
    } finally {
      startLock?.end();
    }
    await pause(50);
  }
  throw toStartFailure(place, reason);
}

/**
 * How long to wait after a new bus exited at once because another bus has the database. That other bus may still be
 * starting. The search for it goes on all the time, and starting more processes would not help it.
 */
export function toBackOff(startsBefore: number): number {
  return 500 * 2 ** startsBefore;
}

/** The bus that was found, unless it has to be replaced now. */
function toFit(finding: Finding, { version }: StartOptions): RunningBus | undefined {
  if (finding.state !== 'running') return undefined;
  const { address, callsInFlight } = finding;
  const verdict = decideUpgrade({ own: version, bus: address, callsInFlight });
  return verdict === 'replace' ? undefined : finding;
}

function tryStartLock(place: Place) {
  try {
    return takeStartLock(place, startMillisecondsMax + 5_000);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const words = `its folder ${place.folder} cannot be written (${code}): make it writable, or name another file with BUS_STORE`;
    throw toStartFailure(place, words);
  }
}

/** The process that has the start lock searches again first: another one may have just finished starting a bus. */
async function startUnderLock(options: StartOptions, giveUpAt: number): Promise<RunningBus | StartProblem> {
  const { place, report, version } = options;
  const finding = await findBus(place);
  const fit = toFit(finding, options);
  if (fit) return fit;
  if (finding.state === 'silent') {
    const { finding: words, remedy } = explainSilence(finding.address);
    return { reason: `${words}: ${remedy}`, hasStarted: false };
  }
  if (finding.state === 'running') {
    const { address } = finding;
    report(
      `the local bus is version ${address.version}, older than this ${version}: it is idle and is replaced`,
    );
    try {
      await stopBus(address);
    } catch (error) {
      report(`the older bus is used: ${(error as Error).message}`);
      return finding;
    }
  }
  return await launch(options, giveUpAt);
}

type StartProblem = Readonly<{ reason: string; hasStarted: boolean }>;

async function launch(options: StartOptions, giveUpAt: number): Promise<RunningBus | StartProblem> {
  const { place, signal } = options;
  const logStart = sizeOf(place.logFile);
  const end = spawnBus(options);
  while (performance.now() < giveUpAt && !signal?.aborted) {
    const finding = await findBus(place);
    if (finding.state === 'running') {
      await reportStart(options, finding);
      return finding;
    }
    const ended = await Promise.race([end, pause(20)]);
    // A bus that found the database in use exits with 0. The bus that has the database should respond soon.
    if (ended) return toProblem(ended, place, logStart);
  }
  return { reason: 'it was started but did not respond in time', hasStarted: true };
}

async function reportStart({ place, report }: StartOptions, { address }: RunningBus): Promise<void> {
  const { baseUrl, processId, settings } = address;
  report(`started the local bus (process ${processId}) at ${baseUrl}; it logs to ${place.logFile}`);
  const { BUS_HOST: host = '127.0.0.1', BUS_PORT: port = '0' } = settings;
  if (port === '0' || port === new URL(baseUrl).port) return;
  const found = await findPortUse({ host, port: Number(port) });
  if (found.use === 'free') return;
  const advice = found.use === 'bus' ? `; to use that one, set ${toVariable(host, port)}` : '';
  report(`port ${port} is taken by ${found.who}, so the local bus took another${advice}`);
}

function toVariable(host: string, port: string): string {
  return `BUS_MCP_BASE_URL=http://${host}:${port}/api/bus`;
}

type Ended = Readonly<{ status: number | null; problem?: string }>;

/**
 * Starts a bus as a process of its own that outlives this one. It keeps nothing open from this process except the
 * log, once it has closed what it inherited.
 */
function spawnBus({ place, command, environment }: StartOptions): Promise<Ended> {
  const [program = process.execPath, ...parameters] = command;
  const child = withOpenLog(place.logFile, (log) =>
    spawn(program, parameters, {
      cwd: place.folder,
      env: { ...environment, [inheritedVariable]: listInheritable().join(',') },
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
    }),
  );
  child.unref();
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: null, problem: error.message }));
    child.once('exit', (status) => resolve({ status }));
  });
}

function toProblem({ status, problem }: Ended, place: Place, logStart: number): StartProblem {
  const reason = problem ?? readLastLine(place.logFile, logStart) ?? `it ended with status ${status}`;
  if (status === 0) return { reason, hasStarted: true };
  throw toStartFailure(place, reason);
}

function toStartFailure({ store, logFile }: Place, reason: string): BusUnreachableError {
  return new BusUnreachableError(
    `the local bus could not be started: ${reason} (its log: ${logFile}); see what is wrong with: ${commandText} doctor, or start one yourself with: ${commandText} serve`,
    store,
  );
}
