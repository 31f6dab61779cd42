import type { Command } from 'commander';
import { findSurroundings } from '../client-side/project.ts';
import { qualifyInput, toScopedBus } from '../client-side/scoped-bus.ts';
import { type OperationName, operationsAt } from '../contract/contract.ts';
import { checkInput } from '../contract/input.ts';
import { idempotencyKeyPattern } from '../contract/limits.ts';
import { toKebabCase } from '../contract/names.ts';
import { isWrite, type Operation, toCommandName } from '../contract/operation.ts';
import { fillInCaller } from './caller.ts';
import type { CommandDeclaration, Invocation, OpenedBus } from './command.ts';
import { UsageError } from './config.ts';
import { exitStatus } from './failure.ts';
import {
  isList,
  isText,
  toDescription,
  toFlagFields,
  toInput,
  toInputError,
  toOption,
  toOptions,
} from './fields.ts';
import { readInputText } from './input-text.ts';
import { printAnswer } from './print.ts';
import type { Row } from './rows.ts';
import type { SettingName } from './settings.ts';
import { toTypedText } from './typed-text.ts';
import { toJsonLine } from './visible.ts';

/** One command for each operation that the command line offers. */
export const operationCommands: readonly CommandDeclaration[] = operationsAt('cli').map(
  ([name, operation]) => ({
    name: toCommandName(name, operation),
    aliases: [toKebabCase(name)],
    alsoTried: operation.command?.alsoTried ?? [],
    group: 'Operations',
    summary: toTypedText(operation.summary),
    guidance: toTypedText(operation.guidance),
    readers: ['client'],
    mainSettings: toMainSettings(operation),
    declare: (command) => declareFields(command, operation),
    run: (invocation) => runOperation({ name, operation, invocation }),
  }),
);

function toMainSettings(operation: Operation): readonly SettingName[] {
  return [
    'baseUrl',
    ...(operation.agentField === undefined ? [] : (['agentId'] as const)),
    ...(isWrite(operation) ? (['writeSecretFile'] as const) : []),
    'timeoutSeconds',
    'autostart',
  ];
}

function declareFields(command: Command, operation: Operation): void {
  for (const field of operation.positionalFields) {
    const isLastText = field === operation.positionalFields.at(-1) && isText(operation, field);
    const more = isLastText && operation.effect === 'append' ? '; - reads it from the input' : '';
    const items = isList(operation, field) ? '...' : '';
    command.argument(`<${toKebabCase(field)}${items}>`, `${toDescription(operation, field)}${more}`);
  }
  for (const field of toFlagFields(operation)) {
    for (const option of toOptions(operation, field)) command.addOption(option);
  }
  if (isWrite(operation)) {
    command.option('--idempotency-key <key>', 'Repeating the call with the same key gets the first answer');
  }
  command.option('--json', 'Print what the bus answered as one line of JSON');
}

async function runOperation(
  asked: Readonly<{ name: OperationName; operation: Operation; invocation: Invocation }>,
): Promise<number> {
  const { name, operation, invocation } = asked;
  const { actions, config, flags, terminal } = invocation;
  const idempotencyKey = readIdempotencyKey(flags.idempotencyKey);
  const surroundings = findSurroundings(config);
  const typed = qualifyInput(await readInput(operation, invocation), surroundings);
  let opened: Promise<OpenedBus> | undefined;
  const openBus = () => {
    opened ??= actions.openBus(config);
    return opened;
  };
  try {
    const { input, caller } = await fillInCaller(operation, typed, invocation, openBus);
    const checked = checkInput(operation, input);
    if ('issues' in checked) throw toInputError(operation, checked.issues);
    const bus = toScopedBus(await openBus(), surroundings);
    // The schema of this very operation has just accepted the input.
    const answer = await bus[name](checked.value as never, { idempotencyKey });
    if (flags.json === true) {
      const isAgent = caller !== undefined && operation.agentField !== undefined;
      await terminal.print(toJsonLine(isAgent ? { ...answer, agent_id: caller } : answer));
    } else {
      if (caller !== undefined) terminal.tell(`as ${caller}`);
      await terminal.print(printAnswer(name, answer, new Date(), checked.value as Row));
    }
    return exitStatus.done;
  } finally {
    await opened?.then((bus) => bus.close());
  }
}

async function readInput(operation: Operation, invocation: Invocation): Promise<Record<string, unknown>> {
  const { operands, flags, input } = invocation;
  const entries: [string, string][] = [];
  for (const [index, field] of operation.positionalFields.entries()) {
    if (isList(operation, field)) {
      for (const item of operands.slice(index)) entries.push([field, item]);
      break;
    }
    const text = operands[index] ?? '';
    const isLast = index === operation.positionalFields.length - 1;
    const isFromInput = text === '-' && isLast && operation.effect === 'append' && isText(operation, field);
    entries.push([field, isFromInput ? await readInputText(input) : text]);
  }
  for (const field of toFlagFields(operation)) {
    const value = flags[toOption(operation, field).attributeName()];
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) entries.push([field, String(item)]);
    }
  }
  return toInput(operation, entries);
}

function readIdempotencyKey(key: unknown): string | undefined {
  if (key === undefined) return undefined;
  if (typeof key === 'string' && idempotencyKeyPattern.test(key)) return key;
  throw new UsageError('--idempotency-key must be 1 to 200 visible ASCII characters');
}
