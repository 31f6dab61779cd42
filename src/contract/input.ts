import type { z } from 'zod';
import { contract, type OperationName, type ParsedInput } from './contract.ts';
import { toBusError } from './errors.ts';
import { limits } from './limits.ts';
import type { Operation } from './operation.ts';

export type InputIssue = Readonly<{ field: string; message: string }>;

/** The input with its defaults, or the refusal `invalid_input` that names each bad field. */
export function parseInput<Name extends OperationName>(name: Name, input: unknown): ParsedInput<Name> {
  const result = checkInput(contract[name], input);
  if ('issues' in result) throw toInvalidInput(result.issues);
  return result.value as ParsedInput<Name>;
}

/**
 * How long the caller is willing to wait, from input that has not been checked yet; 0 for anything that is not a
 * number.
 */
export function waitSecondsOf(input: unknown): number {
  const seconds = (input as { wait_s?: unknown } | null | undefined)?.wait_s;
  return typeof seconds === 'number' && seconds > 0 ? seconds : 0;
}

/** The same check against any object schema, for doors that add arguments of their own. */
export function checkInput(
  operation: Readonly<Pick<Operation, 'input'>>,
  input: unknown,
): { value: unknown } | { issues: readonly InputIssue[] } {
  const result = operation.input.safeParse(input);
  if (result.success) return { value: result.data };
  return { issues: shownOf(issuesOf(operation.input, input)) };
}

/**
 * Checks a second time: the issues need the input they found, and asking for it makes every check four times as
 * slow.
 */
function issuesOf(schema: z.ZodObject, input: unknown): readonly InputIssue[] {
  const { error } = schema.safeParse(input, { reportInput: true });
  return error?.issues.flatMap((issue) => toInputIssues(issue, schema)) ?? [];
}

/** A caller that sends a hundred thousand unknown fields does not get a list of all of them. */
function shownOf(issues: readonly InputIssue[]): readonly InputIssue[] {
  const more = issues.length - limits.inputIssuesShownMax;
  if (more <= 0) return issues;
  const rest = { field: 'input', message: `has ${more} more faults` };
  return [...issues.slice(0, limits.inputIssuesShownMax), rest];
}

/** The refusal for input that does not fit. */
export function toInvalidInput(issues: readonly InputIssue[]) {
  return toBusError('invalid_input', toSentence(issues), { issues: [...issues] });
}

/** All issues in one sentence: `invalid input: owner is required; lease_s must be at least 1`. */
export function toSentence(issues: readonly InputIssue[]): string {
  return `invalid input: ${issues.map(({ field, message }) => `${field} ${message}`.trim()).join('; ')}`;
}

function toInputIssues(issue: z.core.$ZodIssue, schema: z.ZodObject): InputIssue[] {
  const field = issue.path.length > 0 ? issue.path.join('.') : 'input';
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema.shape).join(', ') || 'none';
    return issue.keys.map((key) => ({ field: shorten(key), message: `is not known here (known: ${known})` }));
  }
  return [{ field, message: toMessage(issue) }];
}

function toMessage(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'is required'
        : `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a JSON object',
};

/** The response repeats names that a caller made up, so keep them short. */
function shorten(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}
