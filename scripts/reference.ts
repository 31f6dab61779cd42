import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { settingEntries } from '../src/cli/settings.ts';
import { operations } from '../src/contract/contract.ts';
import { errorTable } from '../src/contract/errors.ts';
import { eventKinds } from '../src/contract/events.ts';
import { limits } from '../src/contract/limits.ts';
import { toSnakeCase } from '../src/contract/names.ts';
import { errorsOf, type Operation, toCommandName } from '../src/contract/operation.ts';

/** `docs/reference.md`: everything that the contract and the settings declare, so that nobody has to state it twice. */
export function toReference(): string {
  const sections = [
    '# Reference',
    'Generated from `src/contract` and `src/cli/settings.ts` by `npm run generate`; a test fails when it is stale. What the parts mean together is told in [protocol.md](protocol.md).',
    '## Operations',
    ...operations.map(([name, operation]) => toOperationSection(name, operation)),
    '## Events',
    `Kinds in the change feed: ${eventKinds.map((kind) => `\`${kind}\``).join(', ')}.`,
    '## Refusals',
    toErrorTable(),
    '## Limits',
    toLimitTable(),
    '## Settings',
    'A flag wins over the variable; the empty string counts as unset.',
    toSettingTable(),
  ];
  return `${sections.join('\n\n')}\n`;
}

function toOperationSection(name: string, operation: Operation): string {
  const { title, summary, guidance, method, path, effect } = operation;
  const ways = [
    `HTTP \`${method} /api/bus${path}\``,
    `library \`bus.${name}(input)\``,
    ...(operation.doors.includes('mcp') ? [`tool \`${toSnakeCase(name)}\``] : []),
    ...(operation.doors.includes('cli') ? [`command \`bus-mcp ${toCommandName(name, operation)}\``] : []),
  ];
  return [
    `### ${title}`,
    `${summary}. ${guidance}`,
    `${ways.join(' · ')} · effect: ${effect}`,
    toFieldTable(operation),
    `Answer: ${toShape(operation.output)}`,
    `Refusals: ${errorsOf(operation)
      .map((code) => `\`${code}\``)
      .join(', ')}`,
  ].join('\n\n');
}

type JsonSchema = Readonly<{
  type?: string;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  items?: JsonSchema;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: readonly unknown[];
  const?: unknown;
  anyOf?: readonly JsonSchema[];
}>;

function toFieldTable({ input }: Operation): string {
  const schema = z.toJSONSchema(input, { io: 'input' }) as JsonSchema;
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return 'It takes nothing.';
  const rows = fields.map(([field, property]) => {
    const isRequired = schema.required?.includes(field) ?? false;
    const standard = property.default === undefined ? '' : JSON.stringify(property.default);
    return [
      `\`${field}\``,
      toTypeText(property),
      isRequired ? 'required' : standard,
      property.description ?? '',
    ];
  });
  return toTable(['Field', 'Type', 'Default', 'Meaning'], rows);
}

function toTypeText({ type, minimum, maximum, maxLength, pattern }: JsonSchema): string {
  if (pattern) return `\`${pattern}\``;
  if (maxLength !== undefined) return `text, 1–${maxLength} characters`;
  if (type !== 'integer' && type !== 'number') return String(type);
  const bounds = [
    ...(minimum === undefined ? [] : [`≥ ${minimum}`]),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`≤ ${maximum}`]),
  ];
  return [type, ...bounds].join(' ');
}

function toShape(output: z.ZodObject): string {
  const schema = z.toJSONSchema(output, { io: 'output' }) as JsonSchema;
  return `\`${toShapeText(schema)}\``;
}

function toShapeText({ type, properties, required, items, enum: words, const: only }: JsonSchema): string {
  if (only !== undefined) return JSON.stringify(only);
  if (words) return words.map((word) => JSON.stringify(word)).join(' or ');
  if (type === 'array' && items) return `[${toShapeText(items)}]`;
  if (!properties) return type ?? 'any';
  const fields = Object.entries(properties).map(
    ([field, property]) => `${field}${required?.includes(field) ? '' : '?'}: ${toShapeText(property)}`,
  );
  return `{${fields.join(', ')}}`;
}

function toErrorTable(): string {
  const rows = Object.entries(errorTable).map(([code, { status, meaning, next, data }]) => {
    const fields = Object.keys(data.shape)
      .map((field) => `\`${field}\``)
      .join(', ');
    return [`\`${code}\``, String(status), meaning, next, fields];
  });
  return toTable(['Code', 'Status', 'What happened', 'What to do', 'Data'], rows);
}

function toLimitTable(): string {
  const meanings = readLimitMeanings();
  const rows = Object.entries(limits).map(([name, value]) => [
    `\`${name}\``,
    value.toLocaleString('en'),
    meanings.get(name) ?? '',
  ]);
  return toTable(['Limit', 'Value', 'Meaning'], rows);
}

/** The comments of the declarations are what the docs say, so that they are written once. */
function readLimitMeanings(): ReadonlyMap<string, string> {
  const source = readFileSync('src/contract/limits.ts', 'utf8');
  const found = source.matchAll(/\/\*\* ([^*]*?) \*\/\s+(\w+):/g);
  return new Map([...found].map(([, comment = '', name = '']) => [name, comment]));
}

function toSettingTable(): string {
  const rows = settingEntries.map(([, { environment, flag, defaultText, readBy, description }]) => [
    `\`${environment}\``,
    flag ? `\`${flag}\`` : '',
    defaultText,
    readBy.join(', '),
    description,
  ]);
  return toTable(['Variable', 'Flag', 'Default', 'Read by', 'Meaning'], rows);
}

function toTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const toLine = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [toLine(heading), toLine(heading.map(() => '---')), ...rows.map(toLine)].join('\n');
}
