import type { CommandDeclaration } from './command.ts';

/** The names of a command that a search considers. */
export type Named = Pick<CommandDeclaration, 'name' | 'aliases' | 'alsoTried'>;

/** The command that somebody most likely meant; undefined when no name is similar enough. */
export function findNearest(word: string, commands: readonly Named[]): string | undefined {
  const known = commands.flatMap(({ name, aliases = [], alsoTried = [] }) =>
    [name, ...aliases, ...alsoTried].map((one) => ({ name, distance: toDistance(word, one) })),
  );
  const [nearest] = known.sort((a, b) => a.distance - b.distance);
  return nearest && nearest.distance <= toDistanceMax(word) ? nearest.name : undefined;
}

/** A third of the letters may be wrong, or one letter in a short word. */
function toDistanceMax(word: string): number {
  return Math.max(1, Math.floor(word.length / 3));
}

/** The edit distance: how many letters to insert, drop or replace. */
function toDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
