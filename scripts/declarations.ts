import { z } from 'zod';
import { agentSchema, sharingSchema } from '../src/contract/agents.ts';
import { contract, type OperationName, operations } from '../src/contract/contract.ts';
import { errorTable } from '../src/contract/errors.ts';
import { eventSchema } from '../src/contract/events.ts';
import { laneSchema, waiterSchema } from '../src/contract/lanes.ts';
import { messageSchema } from '../src/contract/messages.ts';
import type { Operation } from '../src/contract/operation.ts';

/**
 * `types/operations.d.ts`: what the contract declares, as plain types.
 *
 * The types that the compiler would write refer to the schema library, which is bundled and so not there for users.
 */
export function toDeclarations(): string {
  const sections = [
    '// Generated from src/contract by npm run generate; a test fails when it is stale.',
    ...[...rows].map(([schema, name]) => toInterface(name, rowMeanings[name], schema)),
    ...operations.flatMap(([name, operation]) => toOperationTypes(name, operation)),
    toBus(),
    toTables(),
    toErrorData(),
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Shapes that stand in several answers, by the names that users know them under. */
const rows = new Map<z.ZodType, RowName>([
  [messageSchema, 'Message'],
  [laneSchema, 'Lane'],
  [waiterSchema, 'Waiter'],
  [agentSchema, 'Agent'],
  [sharingSchema, 'SharingSession'],
  [eventSchema, 'BusEvent'],
]);

type RowName = keyof typeof rowMeanings;

const rowMeanings = {
  Message: 'One row of the append-only log.',
  Lane: 'A lane that somebody holds, or held until the lease ran out.',
  Waiter: 'A caller whose claim is held open until the lane is free; `place` counts from 1.',
  Agent: 'Whoever acts under one id.',
  SharingSession: 'Another live session that acts under the same id.',
  BusEvent:
    'One row of the change feed. `message_posted` and `flag_acknowledged` carry `message`; the lane events carry `lane`, `owner` and `fence`; the agent events carry `agent`.',
} as const;

function toOperationTypes(name: OperationName, { input, output }: Operation): string[] {
  const inputType = toInterface(`${toPascalCase(name)}Input`, `What \`${name}\` is given.`, input);
  const row = rows.get(output);
  const answer = `${toPascalCase(name)}Answer`;
  const answerType = row
    ? `/** What \`${name}\` answers. */\nexport type ${answer} = ${row};`
    : toInterface(answer, `What \`${name}\` answers.`, output);
  return [inputType, answerType];
}

function toBus(): string {
  const methods = operations.map(([name, { guidance, summary }]) => {
    const pascal = toPascalCase(name);
    const signature = `${name}(input: ${pascal}Input, call?: Call): Promise<${pascal}Answer>;`;
    return `${toComment(`${summary}. ${guidance}`, '  ')}\n  ${signature}`;
  });
  const meaning =
    'One message log and one lane registry: in this process, or somewhere else.\n\nEvery function rejects with `BusError` when the bus refuses, and with `BusUnreachableError` when none answered.';
  const callMeaning = 'What goes with a call without being part of what is asked.';
  return [
    toComment(callMeaning),
    'export interface Call {',
    toComment('Ends a call that waits; what it would have waited for is forgotten at once.', '  '),
    '  readonly signal?: AbortSignal | undefined;',
    toComment('Who calls, where the input does not say it.', '  '),
    '  readonly agent?: string | undefined;',
    toComment('Makes a write safe to repeat: for 24 hours the same key gets the first answer again.', '  '),
    '  readonly idempotencyKey?: string | undefined;',
    '}',
    '',
    toComment(meaning),
    'export interface Bus {',
    methods.join('\n'),
    '}',
  ].join('\n');
}

/** From the name of an operation to its types, for code that treats all operations alike. */
function toTables(): string {
  const toTable = (table: string, toType: (name: OperationName) => string) =>
    [`interface ${table} {`, ...operations.map(([name]) => `  ${name}: ${toType(name)};`), '}'].join('\n');
  return [
    toTable('Inputs', (name) => `${toPascalCase(name)}Input`),
    toTable('Answers', (name) => `${toPascalCase(name)}Answer`),
    toTable('Defaulted', (name) => toUnion(toDefaultedFields(contract[name]))),
    'export type OperationName = keyof Inputs;',
    '/** What a caller gives: fields with a default may be left out. */\nexport type Input<Name extends OperationName> = Inputs[Name];',
    '/** The input after the defaults were filled in. */\nexport type ParsedInput<Name extends OperationName> = Input<Name> & {\n  readonly [Field in Defaulted[Name] & keyof Input<Name>]-?: NonNullable<Input<Name>[Field]>;\n};',
    'export type Output<Name extends OperationName> = Answers[Name];',
  ].join('\n\n');
}

function toErrorData(): string {
  const entries = Object.entries(errorTable).map(([code, { data, meaning }]) => {
    const fields = toFields(data, '    ');
    const type = fields === '' ? 'Record<string, unknown>' : `{\n${fields}  }`;
    return `${toComment(meaning, '  ')}\n  readonly ${code}: ${type};`;
  });
  return [
    toComment('What comes with each refusal, by its code.'),
    'export interface ErrorData {',
    ...entries,
    '}',
    '',
    'export type ErrorCode = keyof ErrorData;',
  ].join('\n');
}

function toDefaultedFields({ input }: Operation): string[] {
  return Object.entries(input.shape).flatMap(([field, schema]) =>
    schema instanceof z.ZodDefault ? [field] : [],
  );
}

function toInterface(name: string, meaning: string, schema: z.ZodType): string {
  const fields = toFields(schema as z.ZodObject, '  ');
  // An empty interface would take anything.
  const body =
    fields === '' ? `export type ${name} = Record<string, never>;` : `export interface ${name} {\n${fields}}`;
  return `${toComment(meaning)}\n${body}`;
}

function toFields(schema: z.ZodObject, indent: string): string {
  return Object.entries(schema.shape)
    .map(([field, type]) => {
      const meaning = type.description === undefined ? '' : `${toComment(type.description, indent)}\n`;
      const isOptional = type instanceof z.ZodOptional || type instanceof z.ZodDefault;
      const mark = isOptional ? '?' : '';
      const orNothing = isOptional ? ' | undefined' : '';
      return `${meaning}${indent}readonly ${field}${mark}: ${toType(type, indent)}${orNothing};\n`;
    })
    .join('');
}

function toType(schema: unknown, indent: string): string {
  const row = rows.get(schema as z.ZodType);
  if (row) return row;
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodNonOptional
  ) {
    return toType(schema.unwrap(), indent);
  }
  if (schema instanceof z.ZodNullable) return `${toType(schema.unwrap(), indent)} | null`;
  if (schema instanceof z.ZodArray) return `readonly ${toType(schema.element, indent)}[]`;
  if (schema instanceof z.ZodObject) return `{\n${toFields(schema, `${indent}  `)}${indent}}`;
  if (schema instanceof z.ZodEnum) return toUnion(schema.options as string[]);
  if (schema instanceof z.ZodLiteral)
    return [...schema.values].map((value) => JSON.stringify(value)).join(' | ');
  if (schema instanceof z.ZodString) return 'string';
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  throw new Error('the contract uses a kind of schema that scripts/declarations.ts does not know: teach it');
}

function toUnion(words: readonly string[]): string {
  return words.length === 0 ? 'never' : words.map((word) => `'${word}'`).join(' | ');
}

function toComment(text: string, indent = ''): string {
  const lines = text.split('\n');
  if (lines.length === 1) return `${indent}/** ${text} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join('\n');
}

function toPascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
