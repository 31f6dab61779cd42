import { CommanderError } from 'commander';
import { BusError, BusUnreachableError } from '../contract/errors.ts';
import { type InputIssue, toSentence } from '../contract/input.ts';
import { UsageError } from './config.ts';
import { toFailureText } from './gone-folder.ts';
import { toTypedText } from './typed-text.ts';

/** How the command ended, for scripts. */
export const exitStatus = { done: 0, refused: 1, usedWrongly: 2, unreachable: 3 } as const;

/** Input that does not fit the operation, found before calling the bus. */
export class InputError extends UsageError {
  readonly issues: readonly InputIssue[];

  constructor(message: string, issues: readonly InputIssue[]) {
    super(message);
    this.name = 'InputError';
    this.issues = issues;
  }
}

/** What a failed command reports: a status for scripts, a sentence for people, an object for programs. */
export type Failure = Readonly<{
  status: number;
  sentence: string;
  error: Readonly<Record<string, unknown>>;
}>;

/** `help` is the command that shows the correct usage. */
export function toFailure(error: unknown, help: string): Failure {
  if (error instanceof BusUnreachableError) {
    const { message, url } = error;
    return {
      status: exitStatus.unreachable,
      sentence: message,
      error: { type: 'bus_unreachable', message, url },
    };
  }
  if (error instanceof BusError) return toRefusedFailure(error);
  if (error instanceof InputError) {
    // Programs know the fields by their names, people by their flags.
    const misuse = toMisuse(toSentence(error.issues), error.issues);
    return { ...misuse, sentence: `${error.message}; see ${help}` };
  }
  if (error instanceof UsageError) return toMisuse(error.message, []);
  if (error instanceof CommanderError) {
    const misuse = toMisuse(toMessage(error), []);
    return { ...misuse, sentence: `${misuse.sentence}; see ${help}` };
  }
  const message = toFailureText(error);
  return { status: exitStatus.refused, sentence: message, error: { type: 'failed', message } };
}

function toRefusedFailure({ status, detail, code, data }: BusError): Failure {
  return {
    status: code === 'invalid_input' ? exitStatus.usedWrongly : exitStatus.refused,
    // The bus uses field names, but people type flags. A quoted word is a name that somebody chose, so it stays.
    sentence: detail.replace(/[^']*$/, toTypedText),
    error: {
      type: 'bus_api_error',
      message: detail,
      status_code: status,
      ...(code === undefined ? {} : { code }),
      ...(data === undefined ? {} : { data }),
    },
  };
}

function toMisuse(message: string, issues: readonly InputIssue[]): Failure {
  return {
    status: exitStatus.usedWrongly,
    sentence: message,
    error: { type: 'invalid_arguments', message, code: 'invalid_input', data: { issues } },
  };
}

/**
 * One line, without the leading word. The value in `unknown option '--name=value'` is removed, because it may be a
 * secret.
 */
function toMessage({ message }: CommanderError): string {
  const shown = message.replace(/^error: /, '').replace(/(unknown option '--[^=']+)=[^\n]*'/, "$1'");
  return shown.replaceAll('\n', ' ');
}

/** Whether the same call may succeed later: the bus was unreachable, or temporarily unable to serve. */
export function isPassing(error: unknown): error is Error {
  return (
    error instanceof BusUnreachableError ||
    (error instanceof BusError && (error.status >= 500 || error.status === 429))
  );
}
