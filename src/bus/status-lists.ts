import type { Output } from '../contract/contract.ts';
import { toSnakeCase } from '../contract/names.ts';
import type { Counters, LaneRow, MessageRow } from '../store/rows.ts';
import { type List, type ListName, listNames, lists } from '../store/schema.ts';
import type { Lists } from '../store/store.ts';
import { toMessage, toRecentLane } from './answers.ts';
import { cutPage } from './pages.ts';

/** All lists of the status with their limits, as the schema declares them. */

type Status = Output<'getBusStatus'>;

/** How the rows of a kind are listed. */
const showers: Readonly<Record<ListedKind, (rows: readonly never[]) => readonly unknown[]>> = {
  messages: (rows: readonly MessageRow[]) =>
    cutPage(rows, rows.length, ({ body }) => body).page.map(toMessage),
  lanes: (rows: readonly LaneRow[]) => rows.map(toRecentLane),
};

export function toLists(found: Lists): Pick<Status, SnakeCase<ListName>> {
  const shown = listNames.map((name) => {
    return [toSnakeCase(name), showers[lists[name].of](found[name] as readonly never[])] as const;
  });
  return Object.fromEntries(shown) as Pick<Status, SnakeCase<ListName>>;
}

export function toListCounts(counters: Counters): Pick<Status['_meta'], SnakeCase<ListCounter>> {
  const counts = listNames.flatMap((name) => {
    const { counter }: List = lists[name];
    return counter === undefined ? [] : [[toSnakeCase(counter), counters[counter]] as const];
  });
  return Object.fromEntries(counts) as Pick<Status['_meta'], SnakeCase<ListCounter>>;
}

type ListedKind = (typeof lists)[ListName]['of'];
type ListCounter = {
  [Name in ListName]: (typeof lists)[Name] extends { counter: infer C } ? C : never;
}[ListName] &
  string;
type SnakeCase<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : '';
