import { randomBytes } from 'node:crypto';
import { type Command, CommanderError } from 'commander';
import { findShellSession } from '../client-side/innermost.ts';
import { joinBus } from '../client-side/join.ts';
import { findSurroundings } from '../client-side/project.ts';
import { qualifyInput, toScopedBus } from '../client-side/scoped-bus.ts';
import type { Output } from '../contract/contract.ts';
import { checkInput } from '../contract/input.ts';
import { claimLane } from '../contract/lanes.ts';
import { limits } from '../contract/limits.ts';
import { createAwakeTimers } from '../lease/awake.ts';
import { toGrant } from '../lease/grant.ts';
import { keepLease } from '../lease/keeper.ts';
import { startChild, toSignalStatus } from './child.ts';
import type { CommandDeclaration, Invocation, OpenedBus, SignalName } from './command.ts';
import { UsageError } from './config.ts';
import { durationProblem, parseDuration } from './duration.ts';
import { exitStatus } from './failure.ts';
import { toInput, toInputError } from './fields.ts';
import { toMachine } from './folders.ts';
import { isHeldRefusal, type LaneClaim, waitForLane } from './lane-wait.ts';
import { onStopSignal } from './stop-signal.ts';
import { isOnThisMachine, parseWholeNumber } from './values.ts';

/** Runs a command while it holds a lane, as `flock` does with a file. */
export const holdCommand: CommandDeclaration = {
  name: 'hold',
  alsoTried: ['run', 'with', 'flock', 'exec'],
  group: 'For scripts',
  summary: 'Wait for a lane, run a command while holding it, release it',
  guidance: [
    'The command finds BUS_LANE, BUS_FENCE and BUS_OWNER in its environment. The lease is renewed until the command and everything that it started has ended, also in the background; then the lane is released, and hold ends with the status of the command.',
    'A signal that asks hold to end goes to all of these processes, and so does SIGTERM when the lease is lost. What still runs after the grace is killed, and hold says so. Linux shows every process that inherited the environment of the command; other systems show a background process only while its parent runs, and Windows only the command.',
    'Nobody can stop the command of a hold that was killed with SIGKILL: it runs on, and the lane is free for others once the lease has run out. Only what the command writes to can refuse it then, by the fence.',
  ].join('\n\n'),
  readers: ['client'],
  declare: (command: Command) => {
    command
      .usage('<lane> [flags] -- <command> [arguments]')
      .argument('<lane>', 'Name of the unit of work')
      .argument('<command...>', 'What to run, after --')
      .option(
        '--owner <text>',
        'Who holds it (default: unique to this run; one that holds the lane already is refused)',
      )
      .option('--note <text>', 'What you are doing, for those who are refused')
      .option(
        '--path <text>',
        'A file or pattern that the lane covers; may be repeated',
        (path, before: readonly string[] = []) => [...before, path],
      )
      .option('--lease, --lease-s <duration>', `How long each lease lasts (default: ${leaseSecondsDefault}s)`)
      .option('--wait, --wait-s <duration>', 'Give up after this time (default: wait for ever)')
      .option(
        '--wait-status <number>',
        `Exit status when --wait is over, or the owner holds the lane already (default: ${waitStatusDefault})`,
      )
      .option(
        '--grace <duration>',
        `How long the command may take to end when it is told to, before it is killed (default: ${graceSecondsDefault}s)`,
      )
      .exitOverride((error) => {
        throw withDashes(error);
      });
  },
  run: hold,
};

/** What was asked for, after checking. */
type Hold = Readonly<{
  claim: LaneClaim;
  command: readonly string[];
  waitSeconds: number | undefined;
  /** The exit status when the lane could not be obtained. */
  waitStatus: number;
  /** The time between asking the command to end and killing it. */
  graceSeconds: number;
  /** Whether nobody else can hold a lane as this owner. */
  isOwnerUnique: boolean;
}>;

async function hold(invocation: Invocation): Promise<number> {
  const { actions, config, signals, terminal } = invocation;
  let asked = readHold(invocation);
  const giveUp = new AbortController();
  let stopped: SignalName | undefined;
  const forget = onStopSignal(signals, (name) => {
    stopped = name;
    giveUp.abort();
  });
  const bus = toScopedBus(await actions.openBus(config), findSurroundings(config));
  try {
    asked = await asAgentOfShell(asked, invocation, bus);
    const { timers } = invocation;
    const { remark } = terminal;
    const grant = await waitForLane({ ...asked, bus, timers, signal: giveUp.signal, remark });
    if (typeof grant.note === 'string') remark(grant.note);
    if (stopped === undefined) return await runHolding({ bus, asked, grant, invocation });
    await release(bus, asked.claim, grant.lane.fence, invocation);
    return toSignalStatus(stopped);
  } catch (error) {
    if (stopped === undefined) {
      if (!isHeldRefusal(error)) throw error;
      terminal.remark(error.message);
      return asked.waitStatus;
    }
    // The lane may have been granted at the moment the wait was given up.
    if (asked.isOwnerUnique) await bus.releaseLane(toHolder(asked.claim)).catch(() => undefined);
    return toSignalStatus(stopped);
  } finally {
    forget();
    await bus.close();
  }
}

async function runHolding(
  held: Readonly<{ bus: OpenedBus; asked: Hold; grant: Output<'claimLane'>; invocation: Invocation }>,
): Promise<number> {
  const { bus, grant, invocation } = held;
  const { claim, command, graceSeconds } = held.asked;
  const { signals, terminal, timers } = invocation;
  const { remark } = terminal;
  const environment = toEnvironment(invocation.environment, claim, grant.lane.fence);
  const { descriptors } = invocation;
  const child = startChild({ command, environment, descriptors, graceSeconds, timers, remark });
  const forget = onStopSignal(signals, (name) => {
    if (!isSentByTerminal(name)) child.stop(name);
  });
  let isLost = false;
  const keeper = keepLease({
    bus,
    timers: createAwakeTimers(timers),
    grant: toGrant(claim, grant),
    isBusHere: isOnThisMachine(invocation.config.baseUrl),
    onTrouble: (reason) => remark(`could not renew lane '${claim.lane}': ${reason} (trying again)`),
    onLost: (reason) => {
      remark(`lane '${claim.lane}' is lost, stopping the command: ${reason}`);
      isLost = true;
      child.stop('SIGTERM');
    },
  });
  try {
    const { status, isKilled } = await child.ended;
    keeper.stop();
    if (!isLost) await release(bus, claim, grant.lane.fence, invocation);
    // If the lane was lost or part of the command was killed, the work is not done, even if the command succeeded.
    return status === exitStatus.done && (isLost || isKilled) ? exitStatus.refused : status;
  } finally {
    forget();
  }
}

function readHold({ config, environment, flags, operands, trailing }: Invocation): Hold {
  const [lane = ''] = operands;
  if (trailing.length === 0 || operands.length !== trailing.length + 1) {
    throw new UsageError(dashesSentence);
  }
  const { hostName } = toMachine(environment);
  const unique = config.given.has('agentId')
    ? toUniqueOwner(config.agentId, ':hold')
    : toUniqueOwner(`hold:${hostName}`);
  const { grace, note, owner, path, leaseS = String(leaseSecondsDefault), waitS, waitStatus } = flags;
  const entries = Object.entries({ lane, owner: owner ?? unique, lease_s: leaseS, note, paths: path });
  const typed = entries.flatMap(([field, value]) =>
    (value === undefined ? [] : [value].flat()).map((item) => [field, String(item)] as const),
  );
  const input = qualifyInput(toInput(claimLane, typed), findSurroundings(config));
  const checked = checkInput(claimLane, input);
  if ('issues' in checked) throw toInputError(claimLane, checked.issues);
  const { wait_s: _, ...claim } = checked.value as LaneClaim & { wait_s: number };
  return {
    claim,
    command: trailing,
    waitSeconds: readSeconds('--wait', waitS, '; without it the wait has no end'),
    waitStatus: readWaitStatus(waitStatus),
    graceSeconds: readSeconds('--grace', grace) ?? graceSecondsDefault,
    isOwnerUnique: owner === undefined,
  };
}

/** In the shell of an agent the lane belongs to its session, and is released with it. */
async function asAgentOfShell(
  asked: Hold,
  { config, environment }: Invocation,
  bus: OpenedBus,
): Promise<Hold> {
  const isNamed = !asked.isOwnerUnique || config.given.has('agentId');
  const session = isNamed ? undefined : findShellSession(environment);
  if (!session) return asked;
  const owner = toUniqueOwner((await joinBus(bus, session)).agent, '/hold');
  return { ...asked, claim: { ...asked.claim, owner } };
}

/** Two containers may agree in the name of the host and in the number of the process. */
function toUniqueOwner(agent: string, word = ''): string {
  const suffix = `${word}:${process.pid}:${randomBytes(4).toString('hex')}`;
  return agent.slice(0, limits.agentIdCharactersMax - suffix.length) + suffix;
}

/** A flag that nobody knows is most often one of the command: only `--` tells the two apart. */
function withDashes(error: CommanderError): CommanderError {
  const { code, exitCode, message } = error;
  if (code !== 'commander.unknownOption' || message.includes('Did you mean')) return error;
  return new CommanderError(exitCode, code, `${message}\n(${dashesSentence})`);
}

const dashesSentence = 'put -- between the lane and the command: bus-mcp hold LANE -- COMMAND ARGUMENTS';

function readSeconds(flag: string, text: unknown, more = ''): number | undefined {
  if (text === undefined) return undefined;
  const seconds = parseDuration(String(text));
  if (seconds !== undefined) return seconds;
  throw new UsageError(`${flag} ${durationProblem}${more}`);
}

function readWaitStatus(text: unknown): number {
  const parsed = parseWholeNumber({ min: 0, max: 255 })(String(text ?? waitStatusDefault));
  if ('value' in parsed) return parsed.value;
  throw new UsageError(`--wait-status ${parsed.problem}`);
}

function toEnvironment(environment: NodeJS.ProcessEnv, { lane, owner }: LaneClaim, fence?: number) {
  return { ...environment, BUS_LANE: lane, BUS_OWNER: owner, BUS_FENCE: fence?.toString() };
}

/** Ctrl-C and Ctrl-\ reach the command directly. A second signal would make many programs end without cleaning up. */
function isSentByTerminal(name: SignalName): boolean {
  return (
    (name === 'SIGINT' || name === 'SIGQUIT') &&
    [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  );
}

async function release(bus: OpenedBus, claim: LaneClaim, fence: number, { terminal }: Invocation) {
  try {
    await bus.releaseLane({ ...toHolder(claim), fence });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    terminal.remark(`could not release lane '${claim.lane}', so its lease has to run out: ${reason}`);
  }
}

function toHolder({ lane, owner }: LaneClaim) {
  return { lane, owner };
}

const leaseSecondsDefault = 60;
const graceSecondsDefault = 10;
/** `EX_TEMPFAIL`: try again later. Commands rarely end with this status themselves. */
const waitStatusDefault = 75;
