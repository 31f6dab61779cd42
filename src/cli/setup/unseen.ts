import { isObject } from '../../contract/json.ts';
import { folderVariables, type Machine } from '../folders.ts';
import { type Setting, settingEntries } from '../settings.ts';
import type { Client } from './clients.ts';
import type { Entry } from './entry.ts';

/**
 * One line for each variable that is set here and matters to the server, but that the server will not see. Without
 * these lines somebody ends up with two buses and does not know why.
 */
export function toUnseenLines(
  { client, machine }: Readonly<{ client: Client; machine: Machine }>,
  entry: Entry,
): readonly string[] {
  const { whyUnseen } = client;
  if (whyUnseen === undefined) return [];
  const variables = entry[client.variablesKey ?? 'env'];
  const written = isObject(variables) ? variables : {};
  return toRemedies(machine)
    .filter(([name]) => machine.environment[name] && written[name] === undefined)
    .map(([name, remedy]) => `  unseen  ${name} is set here and not written, and ${whyUnseen}: ${remedy}`);
}

/** What to do about each variable; the secret has advice of its own. */
function toRemedies({ environment }: Machine): readonly (readonly [name: string, remedy: string])[] {
  const byHand = "add it by hand to the entry's env";
  const product = settingEntries.filter(([, { isSecret, readBy }]) => !isSecret && !readBy.includes('tests'));
  return [
    ...product.map(([, setting]): [string, string] => {
      const { environment: name } = setting;
      // A URL may carry a password, and is not taken as a flag.
      const isUrl = name === 'BUS_STORE' && environment[name]?.includes('://');
      return [name, isUrl ? byHand : `run this again with ${toFlagText(setting)}, or ${byHand}`];
    }),
    ...folderVariables.map((name): [string, string] => [name, byHand]),
  ];
}

function toFlagText({ flag = '', isNegatable }: Setting): string {
  const [name = ''] = flag.split(/[ ,]/);
  return isNegatable ? name.replace('--', '--[no-]') : name;
}
