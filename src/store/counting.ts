import { columnsOf } from './codec.ts';
import {
  type CounterName,
  type Counters,
  type ListName,
  listNames,
  lists,
  schema,
  type TurnKind,
  turnKinds,
} from './schema.ts';
import { toMatch } from './tables.ts';

/** A counter of the rows of a kind that are in a list. */
export type Counting = Readonly<{
  list: ListName;
  counter: CounterName;
  isCounted: (row: object) => boolean;
}>;

export function countingsOf(kind: TurnKind): readonly Counting[] {
  return countings[kind];
}

const countings = Object.fromEntries(
  turnKinds.map((kind) => [kind, listNames.flatMap((name) => toCounting(kind, name))]),
) as unknown as Readonly<Record<TurnKind, readonly Counting[]>>;

function toCounting(kind: TurnKind, name: ListName): readonly Counting[] {
  const list = lists[name];
  if (list.of !== kind || !('counter' in list)) return [];
  return [{ list: name, counter: list.counter, isCounted: toMatch(kind, list.where) }];
}

/** What a store without a row counts. */
export const nothingCounted = columnsOf(schema.counters.fields).reduce<Record<string, unknown>>(
  (counters, { path: [field, inner] }) => {
    counters[field] = inner === undefined ? 0 : { ...(counters[field] as object), [inner]: 0 };
    return counters;
  },
  {},
) as unknown as Counters;
