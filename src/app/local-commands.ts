import type { CommandDeclaration, Invocation } from '../cli/command.ts';
import { UsageError } from '../cli/config.ts';
import { exitStatus } from '../cli/failure.ts';
import { onStopSignal } from '../cli/stop-signal.ts';
import { toTable } from '../cli/table.ts';
import { pause } from '../cli/timers.ts';
import { toJsonLine, toVisible } from '../cli/visible.ts';
import type { Address } from '../daemon/address.ts';
import { toFallbackUrl, toLocalBusOptions, toLocalPlace } from './local.ts';
import { toAddressesWithPath } from './rootless.ts';
import { version } from './version.ts';

/** The commands about the bus process of this machine. What they need is loaded when one of them runs. */
export const localCommands: readonly CommandDeclaration[] = [
  {
    name: 'up',
    group: 'This machine',
    summary: 'Start the local bus, or say where it runs',
    guidance:
      'Not needed in general: the first call starts it. A bus started like this leaves when nobody has used it for a while, and the next call starts it again; one started with serve stays.',
    readers: ['client', 'bus'],
    run: up,
  },
  {
    name: 'down',
    alsoTried: ['stop', 'kill', 'shutdown', 'quit'],
    group: 'This machine',
    summary: 'Stop the local bus',
    guidance:
      'It finishes what runs, and is gone when this command ends. No error when none runs. Nothing is lost. Clients that wait there, like watch, start it again.',
    readers: ['client', 'bus'],
    run: down,
  },
  {
    name: 'logs',
    group: 'This machine',
    summary: 'Print the log of the local bus',
    guidance: 'A bus that was started with serve logs to where it was started instead.',
    readers: ['client', 'bus'],
    declare: (command) => {
      command
        .option('-n, --lines <number>', 'At most so many lines of what is there (50)')
        .option('-f, --follow', 'Go on with what comes, until stopped')
        .option('--json', 'Print the lines as they were written');
    },
    run: logs,
  },
  {
    name: 'doctor',
    alsoTried: ['check', 'health', 'diagnose', 'ping', 'test'],
    group: 'This machine',
    summary: 'Check what the bus needs on this machine, and say what to mend',
    guidance: 'Starts nothing and writes nothing. Exit status 0: healthy; 1: something does not work.',
    readers: ['client', 'bus'],
    declare: (command) => {
      command.option('--json', 'Print the findings as one line of JSON');
    },
    run: doctor,
  },
];

async function up({ config, terminal }: Invocation): Promise<number> {
  const { ensureBus } = await import('../daemon/start.ts');
  const options = toLocalBusOptions(config, (sentence) => terminal.remark(sentence));
  const { address } = await ensureBus(options);
  if (config.given.has('baseUrl')) {
    terminal.remark('BUS_MCP_BASE_URL is set: calls go there and not to the local bus');
  }
  const { processId, baseUrl, startedBy, settings } = address;
  const leaves = startedBy === 'client' ? `, leaves when unused for ${settings.BUS_IDLE_EXIT_S} s` : '';
  await terminal.print(
    [
      `the local bus runs (process ${processId}, version ${address.version}${leaves})`,
      `  address  ${baseUrl}`,
      `  data     ${options.place.store}`,
      `  log      ${startedBy === 'client' ? options.place.logFile : 'where serve was started'}`,
    ].join('\n'),
  );
  return exitStatus.done;
}

async function down({ config, terminal }: Invocation): Promise<number> {
  const { explainSilence, findBus } = await import('../daemon/find.ts');
  const { stopBus } = await import('../daemon/stop.ts');
  const place = toLocalPlace(config);
  const finding = await findBus(place);
  if (finding.state === 'none') {
    await terminal.print(`no local bus runs for ${place.store}`);
    return exitStatus.done;
  }
  const { processId } = finding.address;
  if (finding.state === 'silent') {
    const { finding: words, remedy } = explainSilence(finding.address);
    throw new Error(`${words}: look into ${place.logFile}; ${remedy}`);
  }
  const { callsInFlight: calls } = finding;
  const callsText = calls === 1 ? '1 call' : `${calls} calls`;
  const use = calls === 0 ? 'which nobody is using' : `which first finishes ${callsText}`;
  terminal.remark(`stopping the local bus (process ${processId}), ${use}`);
  await stopBus(finding.address);
  await terminal.print(`the local bus is stopped${toReturn(finding.address)}`);
  if (calls > 0) {
    terminal.remark(
      `${callsText} ${calls === 1 ? 'was' : 'were'} under way: a client that goes on waiting, as watch and hold do, starts it again at once; end such clients first to keep it down`,
    );
  }
  return exitStatus.done;
}

function toReturn({ startedBy }: Address): string {
  return startedBy === 'client' ? '; the next call starts it again' : ' (it was started with serve)';
}

async function logs(invocation: Invocation): Promise<number> {
  const { config, flags, terminal } = invocation;
  const { sizeOf } = await import('../daemon/log-file.ts');
  const { createLineReader, readLastLines, toReadable } = await import('../daemon/log-lines.ts');
  const { logFile } = toLocalPlace(config);
  const toShown = (line: string) => toVisible(flags.json === true ? line : toReadable(line));
  const end = sizeOf(logFile);
  const lines = readLastLines(logFile, readLineCount(flags.lines), end);
  if (lines.length > 0) await terminal.print(lines.map(toShown).join('\n'));
  else terminal.remark(`there is nothing in the log of the local bus (${logFile})`);
  if (flags.follow === true) await follow(invocation, createLineReader(logFile, end), toShown);
  return exitStatus.done;
}

const followMilliseconds = 200;

async function follow(
  { signals, terminal, timers }: Invocation,
  readNext: () => readonly string[],
  toShown: (line: string) => string,
): Promise<void> {
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  const forget = onStopSignal(signals, stop);
  terminal.closed.addEventListener('abort', stop);
  while (!stopped.signal.aborted) {
    for (const line of readNext()) await terminal.print(toShown(line));
    await pause({ milliseconds: followMilliseconds, timers, signal: stopped.signal });
  }
  forget();
}

function readLineCount(text: unknown): number {
  if (text === undefined) return 50;
  if (typeof text === 'string' && /^\d{1,6}$/.test(text)) return Number(text);
  throw new UsageError('--lines must be a whole number from 0 to 999999');
}

async function doctor({ config, flags, terminal }: Invocation): Promise<number> {
  const { examine } = await import('../daemon/doctor.ts');
  const { loadDriver } = await import('../store/sqlite/driver.ts');
  const { findObstacle } = await import('../store/sqlite/integrity/inspect.ts');
  const checks = await examine({
    ...config,
    place: toLocalPlace(config),
    baseUrl: config.given.has('baseUrl') ? toAddressesWithPath(config.baseUrl) : undefined,
    addressAsGiven: config.baseUrl,
    fallbackUrl: toFallbackUrl(config),
    version,
    nodeVersion: process.version,
    loadSqlite: () => loadDriver().name,
    findObstacle,
  });
  const isHealthy = checks.every(({ mark }) => mark !== 'fail');
  if (flags.json === true) await terminal.print(toJsonLine({ ok: isHealthy, checks }));
  else {
    const rows = checks.map(({ mark, name, finding, remedy }) => [
      mark,
      name,
      remedy === undefined ? finding : `${finding}: ${remedy}`,
    ]);
    const [, ...lines] = toTable(['', '', ''], rows);
    await terminal.print(lines.join('\n'));
  }
  return isHealthy ? exitStatus.done : exitStatus.refused;
}
