import { operations, operationsAt } from '../contract/contract.ts';
import { toKebabCase, toSnakeCase } from '../contract/names.ts';
import { toCommandName } from '../contract/operation.ts';

/**
 * A sentence of the contract in the words of the command line: `post_message` becomes `bus-mcp post`, `since_id`
 * becomes `--since`. The contract speaks of tools and their arguments, because agents read it most.
 */
export function toTypedText(text: string): string {
  return text
    .replace(/, in seconds\b/g, '')
    .replace(/\b([a-z]+(?:_[a-z]+)+)(=true)?/g, (found, word: string) => typedWords.get(word) ?? found);
}

/** The flags of a field, the short one first: people need not type `--wait-s`, nor `--since-id`. */
export function toFlagNames(field: string): readonly [string, ...string[]] {
  const flag = `--${toKebabCase(field)}`;
  // A list is typed item by item: `--path a --path b`.
  const short = flag === '--paths' ? '--path' : flag.replace(/-(s|id)$/, '');
  return short === flag ? [flag] : [short, flag];
}

const typedWords: ReadonlyMap<string, string> = new Map([
  ...operations.flatMap(([, { input }]) =>
    Object.keys(input.shape).map((field) => [field, toFlagNames(field)[0]] as const),
  ),
  ...operationsAt('cli').map(
    ([name, operation]) => [toSnakeCase(name), `bus-mcp ${toCommandName(name, operation)}`] as const,
  ),
]);
