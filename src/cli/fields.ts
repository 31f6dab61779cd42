import { Option } from 'commander';
import { type InputIssue, toSentence } from '../contract/input.ts';
import { toKebabCase } from '../contract/names.ts';
import type { Operation } from '../contract/operation.ts';
import { fieldKindOf } from '../contract/text.ts';
import { InputError } from './failure.ts';

/** What is wrong with the input, with the names that the fields have at the command line. */
export function toInputError(operation: Operation, issues: readonly InputIssue[]): InputError {
  const shown = issues.map(({ field, message }) => ({
    field: toTypedName(operation, field),
    message: message.replace(/\b[a-z]+_[a-z_]+\b/g, (word) =>
      Object.hasOwn(operation.input.shape, word) ? toTypedName(operation, word) : word,
    ),
  }));
  return new InputError(toSentence(shown), issues);
}

function toTypedName(operation: Operation, field: string): string {
  if (operation.positionalFields.includes(field)) return `<${toKebabCase(field)}>`;
  return toFlagNames(field)[0];
}

/** Seconds are the only unit that a person types, so `--wait` says as much as `--wait-s`. */
function toFlagNames(field: string): readonly [string, ...string[]] {
  const flag = `--${toKebabCase(field)}`;
  return field.endsWith('_s') ? [flag.slice(0, -'-s'.length), flag] : [flag];
}

/** The flag of a field, derived from its name and its schema. */
export function toOption(operation: Operation, field: string): Option {
  const flags = toFlagNames(field).join(', ');
  if (fieldKindOf(toSchema(operation, field)) === 'boolean') {
    return new Option(flags, toDescription(operation, field));
  }
  const placeholder = field.endsWith('_s') ? 'seconds' : fieldKindOf(toSchema(operation, field));
  return new Option(
    `${flags} <${placeholder}>`,
    `${toDescription(operation, field)}${toDefaultText(operation, field)}`,
  );
}

/** The fields that are typed with a flag, in the order of the contract. */
export function toFlagFields(operation: Operation): readonly string[] {
  return Object.keys(operation.input.shape).filter((field) => !operation.positionalFields.includes(field));
}

export function isText(operation: Operation, field: string): boolean {
  return fieldKindOf(toSchema(operation, field)) === 'text';
}

export function toDescription(operation: Operation, field: string): string {
  return toSchema(operation, field).description ?? '';
}

function toDefaultText(operation: Operation, field: string): string {
  if (field === operation.agentField) return ' (default: BUS_MCP_AGENT_ID)';
  if (field === operation.personField) return ' (default: your login name)';
  const filled = toSchema(operation, field).safeParse(undefined);
  return filled.success && filled.data !== undefined ? ` (default: ${filled.data})` : '';
}

function toSchema(operation: Operation, field: string) {
  const schema = operation.input.shape[field];
  if (schema === undefined) throw new Error(`the contract has no field ${field}`);
  return schema as Parameters<typeof fieldKindOf>[0];
}
