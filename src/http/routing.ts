export type RouteEntry<Target> = Readonly<{ method: string; path: string; target: Target }>;

/** What a path leads to: a target per method, and the path segments that fill its `{field}` places. */
export type Match<Target> = Readonly<{ targets: ReadonlyMap<string, Target>; segments: readonly string[] }>;

/**
 * Looks up paths in a table that is built once. Exact paths are in a map; paths with fields are grouped by their
 * number of segments.
 */
export function createRouteTable<Target>(entries: readonly RouteEntry<Target>[]) {
  const exact = new Map<string, Match<Target>>();
  const patterned = new Map<number, Pattern<Target>[]>();
  for (const [path, group] of groupByPath(entries)) {
    const targets = new Map(group.map(({ method, target }) => [method, target]));
    if (!path.includes('{')) exact.set(path, { targets, segments: [] });
    else addPattern(patterned, toPattern(path, targets));
  }
  return {
    find(path: string): Match<Target> | undefined {
      return exact.get(path) ?? findPattern(patterned, path.split('/'));
    },
  };
}

type Pattern<Target> = Readonly<{
  /** The literal segment at each place, or undefined for a field. */
  literals: readonly (string | undefined)[];
  targets: ReadonlyMap<string, Target>;
}>;

function groupByPath<Target>(entries: readonly RouteEntry<Target>[]) {
  const groups = new Map<string, RouteEntry<Target>[]>();
  for (const entry of entries) groups.set(entry.path, [...(groups.get(entry.path) ?? []), entry]);
  return groups;
}

function toPattern<Target>(path: string, targets: ReadonlyMap<string, Target>): Pattern<Target> {
  return { literals: path.split('/').map((text) => (text.startsWith('{') ? undefined : text)), targets };
}

function addPattern<Target>(patterned: Map<number, Pattern<Target>[]>, pattern: Pattern<Target>): void {
  const { length } = pattern.literals;
  patterned.set(length, [...(patterned.get(length) ?? []), pattern]);
}

function findPattern<Target>(
  patterned: ReadonlyMap<number, readonly Pattern<Target>[]>,
  segments: readonly string[],
): Match<Target> | undefined {
  const pattern = patterned
    .get(segments.length)
    ?.find(({ literals }) =>
      literals.every((literal, place) => literal === undefined || literal === segments[place]),
    );
  if (!pattern) return undefined;
  return {
    targets: pattern.targets,
    segments: segments.filter((_, place) => pattern.literals[place] === undefined),
  };
}
