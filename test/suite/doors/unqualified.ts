import { type Bus, operationNames } from '../../../src/contract/contract.ts';

/** The name under which the doors that qualify paths know this checkout. */
export const repository = 'suite';

/**
 * The bus behind a door that qualifies paths: it takes the repository away again, so that the rules may write one path at
 * the door and at the engine.
 */
export function toUnqualified(bus: Bus): Bus {
  const strip = (path: string) => path.replace(new RegExp(`^${repository}/`), '').replace(/^suite$/, '**');
  const operations = operationNames.map((name) => [
    name,
    (input: Readonly<Record<string, unknown>>, call?: object) => {
      const operate = bus[name] as (input: object, call?: object) => Promise<unknown>;
      const { path, paths } = input;
      return operate(
        {
          ...input,
          ...(typeof path === 'string' && { path: strip(path) }),
          ...(Array.isArray(paths) && { paths: paths.map(strip) }),
        },
        call,
      );
    },
  ]);
  return { ...bus, ...Object.fromEntries(operations) };
}
