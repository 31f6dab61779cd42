import { BusError } from '../contract/errors.ts';
import type { HeldPath } from './denial.ts';
import { isUnder, lookAtCall, toReason } from './guard.ts';
import type { GuardMode } from './guard-modes.ts';
import { hosts } from './hosts.ts';
import type { Surroundings } from './qualify.ts';

export type SessionGuardOptions = Readonly<{
  mode: GuardMode;
  surroundings: Surroundings;
  checkPaths: (paths: readonly string[], signal: AbortSignal) => Promise<readonly HeldPath[]>;
  /** The ids under which this session has claimed. */
  owners: Iterable<string>;
  /** Hears of each call that was looked at, and of what kept it from that. */
  onLooked: (problem?: string) => void;
}>;

type Given = Readonly<Record<string, unknown>>;
type Session = Readonly<{
  identify: () => Promise<string | undefined>;
  claim: (scopes: readonly string[]) => Promise<void>;
}>;

/** An edit waits no longer than this for an answer. */
const answerMilliseconds = 750;
/** More files than this are no edit that somebody goes on with. */
const claimedMax = 16;

/**
 * The guard inside the session's own process: answers what the client's hook is to print. The empty text lets the call
 * pass, and so does everything that goes wrong.
 */
export function createSessionGuard(options: SessionGuardOptions) {
  const { mode, onLooked } = options;
  return async (given: Given, session: Session): Promise<string> => {
    if (mode === 'off') return '';
    const signal = AbortSignal.timeout(answerMilliseconds);
    try {
      const reason = await Promise.race([whenAborted(signal), decide(given, session, options, signal)]);
      onLooked();
      if (reason === '') return '';
      const { toDenial, toWarning } = hosts['claude-code'];
      return (mode === 'warn' ? toWarning(reason) : toDenial(reason)).stdout ?? '';
    } catch (error) {
      onLooked(error instanceof Error ? error.message : String(error));
      return '';
    }
  };
}

async function decide(
  given: Given,
  session: Session,
  options: SessionGuardOptions,
  signal: AbortSignal,
): Promise<string> {
  const { surroundings, mode, owners } = options;
  const call = { tool: toText(given.tool), input: toInput(given.input), folder: toText(given.cwd) };
  const checkPaths = (paths: readonly string[]) => options.checkPaths(paths, signal);
  const look = async () => {
    const looked = await lookAtCall(call, { surroundings, checkPaths });
    if (looked.held.length === 0) return looked;
    // Only now it matters who the session is. Where nobody can know, nothing is refused.
    const agent = await session.identify();
    const isOthers = ({ owner }: HeldPath) => agent !== undefined && !isUnder([agent, ...owners], owner);
    return { ...looked, held: looked.held.filter(isOthers) };
  };
  const { held, free } = await look();
  if (held.length > 0 || mode !== 'claim' || signal.aborted) return toReason(held, surroundings);
  const files = free.filter((scope) => !scope.includes('*')).slice(0, claimedMax);
  try {
    if (files.length > 0) await session.claim(files);
    return '';
  } catch (error) {
    // Somebody else was first.
    if (error instanceof BusError && error.status === 409) return toReason((await look()).held, surroundings);
    throw error;
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the bus did not answer in time')), {
      once: true,
    });
  });
}

/** A field that is absent arrives as the empty text. */
function toText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The input of a tool arrives as JSON text. */
function toInput(value: unknown): Given {
  const given: unknown = typeof value === 'string' ? parse(value) : value;
  return typeof given === 'object' && given !== null ? (given as Given) : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
