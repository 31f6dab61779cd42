import { Option } from 'commander';
import { type InputIssue, toSentence } from '../contract/input.ts';
import { toKebabCase } from '../contract/names.ts';
import type { Operation } from '../contract/operation.ts';
import { fieldKindOf, fromText } from '../contract/text.ts';
import { ownerAdvice } from './caller.ts';
import { durationProblem, parseDuration, toDurationText } from './duration.ts';
import { InputError } from './failure.ts';
import { toFlagNames, toTypedText } from './typed-text.ts';

/** What is wrong with the input, with the field names of the command line. */
export function toInputError(operation: Operation, issues: readonly InputIssue[]): InputError {
  const shown = issues.map(({ field, message }) => ({
    field: toTypedName(operation, field),
    message: toTypedMessage(operation, { field, message }),
  }));
  return new InputError(toSentence(shown), issues);
}

function toTypedMessage({ agentField }: Operation, { field, message }: InputIssue): string {
  if (isDuration(field) && message === 'must be a number') return durationProblem;
  return field === agentField && message === 'is required' ? ownerAdvice : toTypedText(message);
}

function toTypedName(operation: Operation, field: string): string {
  if (operation.positionalFields.includes(field)) return `<${toKebabCase(field)}>`;
  return toFlagNames(field)[0];
}

/** The flag of a field, derived from its name and its schema. */
export function toOption(operation: Operation, field: string): Option {
  const flags = toFlagNames(field).join(', ');
  if (fieldKindOf(toSchema(operation, field)) === 'boolean') {
    return new Option(flags, toDescription(operation, field));
  }
  if (isList(operation, field)) {
    const option = new Option(`${flags} <text>`, `${toDescription(operation, field)}; repeat it for more`);
    return option.argParser((item: string, items: readonly string[] = []) => [...items, item]);
  }
  const placeholder = isDuration(field) ? 'duration' : fieldKindOf(toSchema(operation, field));
  return new Option(
    `${flags} <${placeholder}>`,
    `${toDescription(operation, field)}${toDefaultText(operation, field)}`,
  );
}

/** The flags of a field. A switch also has a flag that turns it off, for programs that fill in a command line. */
export function toOptions(operation: Operation, field: string): readonly Option[] {
  const option = toOption(operation, field);
  if (fieldKindOf(toSchema(operation, field)) !== 'boolean') return [option];
  const negated = toFlagNames(field)[0].replace('--', '--no-');
  return [option, new Option(negated, `The opposite of ${toFlagNames(field)[0]}`)];
}

/** Converts what was typed to the operation's input: text, numbers, switches and durations. */
export function toInput(
  operation: Operation,
  entries: readonly (readonly [string, string])[],
): Record<string, unknown> {
  const typed = entries.map(([field, text]): [string, string] => {
    const seconds = isDuration(field) ? parseDuration(text) : undefined;
    return [field, seconds === undefined ? text : String(seconds)];
  });
  return fromText(operation.input, typed);
}

/** The fields that have a flag, in the order of the contract. */
export function toFlagFields(operation: Operation): readonly string[] {
  return Object.keys(operation.input.shape).filter((field) => !operation.positionalFields.includes(field));
}

export function isList(operation: Operation, field: string): boolean {
  return fieldKindOf(toSchema(operation, field)) === 'list';
}

export function isText(operation: Operation, field: string): boolean {
  return fieldKindOf(toSchema(operation, field)) === 'text';
}

export function toDescription(operation: Operation, field: string): string {
  return toTypedText(toSchema(operation, field).description ?? '');
}

/** Durations: the contract uses seconds, people type `5m`. */
function isDuration(field: string): boolean {
  return field.endsWith('_s');
}

function toDefaultText(operation: Operation, field: string): string {
  if (field === operation.agentField) return ' (default: BUS_MCP_AGENT_ID)';
  if (field === operation.personField) return ' (default: your login name)';
  const filled = toSchema(operation, field).safeParse(undefined);
  const { data } = filled;
  if (data === undefined || data === false) return '';
  if (isDuration(field)) return data === 0 ? '' : ` (default: ${toDurationText(Number(data))})`;
  return ` (default: ${data})`;
}

function toSchema(operation: Operation, field: string) {
  const schema = operation.input.shape[field];
  if (schema === undefined) throw new Error(`the contract has no field ${field}`);
  return schema as Parameters<typeof fieldKindOf>[0];
}
