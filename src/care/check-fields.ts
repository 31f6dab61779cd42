import { columnsOf, isGroup, valueAt } from '../store/codec.ts';
import type { ColumnType } from '../store/columns.ts';
import { type CopiedKind, copiedKinds, schema } from '../store/schema.ts';
import { type Check, createProblems } from './check.ts';

/** Holds each row against the declaration of its kind: what it must have is there, and is what it may be. */
export function createFieldCheck() {
  const problems = createProblems();

  /** `which` names the row, and is only asked for one that is wrong. */
  function see(kind: CopiedKind, which: () => string, row: object): void {
    for (const { name, path, column, isNullable } of columns[kind]) {
      const value = valueAt(row, path);
      if (value === undefined ? isNullable : isOfType[column.type](value)) continue;
      problems.add(`${which()} has ${value === undefined ? 'no' : 'a wrong'} ${name}`);
    }
    for (const { name, paths } of together[kind]) {
      const there = paths.filter((path) => valueAt(row, path) !== undefined).length;
      if (there > 0 && there < paths.length) problems.add(`${which()} says only half of ${name}`);
    }
  }

  const end = (): Check => problems.toCheck('fields', 'every row has those that it needs');
  return { see, end };
}

const isOfType: Readonly<Record<ColumnType, (value: unknown) => boolean>> = {
  integer: (value) => typeof value === 'number',
  time: (value) => typeof value === 'number',
  text: (value) => typeof value === 'string',
  name: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
  json: (value) => typeof value === 'object' && value !== null,
};

type Paths = ReturnType<typeof columnsOf>[number]['path'][];

const columns = toByKind((kind) => columnsOf(schema[kind].fields));

/** Fields that are there together or not at all: those of a group, and who did something and when. */
const together = toByKind((kind) => [
  ...Object.entries(schema[kind].fields).flatMap(([field, declared]) => {
    if (!isGroup(declared) || !declared.isOptional || declared.document !== undefined) return [];
    const needed = Object.entries(declared.fields).filter(([, { isOptional }]) => !isOptional);
    return [{ name: `its ${field}`, paths: needed.map(([inner]) => [field, inner]) as Paths }];
  }),
  ...columnsOf(schema[kind].fields).flatMap(({ path: [field], column }) => {
    const [, stem] = /^(.+)By$/.exec(field) ?? [];
    if (!column.isLater || stem === undefined) return [];
    return [{ name: `who ${stem} it`, paths: [[field], [`${stem}At`]] as Paths }];
  }),
]);

function toByKind<Made>(make: (kind: CopiedKind) => Made): Readonly<Record<CopiedKind, Made>> {
  return Object.fromEntries(copiedKinds.map((kind) => [kind, make(kind)])) as Record<CopiedKind, Made>;
}
