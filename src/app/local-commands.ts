import type { CommandDeclaration, Invocation } from '../cli/command.ts';
import { exitStatus } from '../cli/failure.ts';
import { toTable } from '../cli/table.ts';
import { toJsonLine } from '../cli/visible.ts';
import type { Address } from '../daemon/address.ts';
import { toFallbackUrl, toLocalPlace } from './local.ts';
import { toAddressesWithPath } from './rootless.ts';
import { version } from './version.ts';

/** The commands about the bus process on this machine. Their code is loaded when one of them runs. */
export const localCommands: readonly CommandDeclaration[] = [
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
    name: 'doctor',
    alsoTried: ['check', 'health', 'diagnose', 'ping', 'test'],
    group: 'This machine',
    summary: 'Check what the bus needs on this machine, and say what to fix',
    guidance: 'Starts nothing and writes nothing. Exit status 0: healthy; 1: something does not work.',
    readers: ['client', 'bus'],
    declare: (command) => {
      command.option('--json', 'Print the findings as one line of JSON');
    },
    run: doctor,
  },
];

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

async function doctor({ config, environment, flags, terminal }: Invocation): Promise<number> {
  const { examine } = await import('../daemon/doctor.ts');
  const { loadDriver } = await import('../store/sqlite/driver.ts');
  const { findObstacle } = await import('../store/sqlite/integrity/inspect.ts');
  const { examineGuards } = await import('./guard-checks.ts');
  const checks = [
    ...(await examine({
      ...config,
      place: toLocalPlace(config),
      baseUrl: config.given.has('baseUrl') ? toAddressesWithPath(config.baseUrl) : undefined,
      addressAsGiven: config.baseUrl,
      fallbackUrl: toFallbackUrl(config),
      version,
      nodeVersion: process.version,
      loadSqlite: () => loadDriver().name,
      findObstacle,
    })),
    ...examineGuards({ environment, mode: config.guard, now: Date.now() }),
  ];
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
