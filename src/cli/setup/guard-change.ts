import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../contract/json.ts';
import { deleteConfigFile, readConfigFile, writeConfigFile } from './config-file.ts';
import type { GuardHook } from './guard-hooks.ts';
import { addItem, readList, removeItems } from './json-list.ts';
import { FileProblem } from './problem.ts';

export type GuardOutcome = 'added' | 'changed' | 'kept' | 'removed' | 'absent';

type Target = Readonly<{
  hook: GuardHook;
  path: string;
  newFileMode: number;
  command: string;
  /** Whether a copy of this very file was made just now. */
  isBackedUp: boolean;
}>;

/** Tells the client about the guard. What else is in the file stays; one of an earlier version of ours is replaced. */
export async function addGuard(target: Target): Promise<GuardOutcome> {
  const { hook, command } = target;
  const file = await readConfigFile(target.path, target.newFileMode);
  const options = { backsUp: !target.isBackedUp };
  if (hook.kind === 'file') {
    const text = hook.toText(command);
    if (file.text === text) return 'kept';
    if (file.text !== undefined && !isGuardText(file.text)) throw new FileProblem('is not ours');
    await writeConfigFile(file, text, { backsUp: false });
    return file.text === undefined ? 'added' : 'changed';
  }
  const { dialect, listPath, fileExtras = {} } = hook;
  const item = hook.toItem(command);
  const before = file.text ?? '';
  const own = readList(before, listPath, dialect).filter(isGuard);
  if (own.length === 1 && isDeepStrictEqual(own[0], item)) return 'kept';
  const start = before.trim() === '' ? `${JSON.stringify(fileExtras)}\n` : before;
  const cleared = removeItems(start, listPath, dialect, isGuard);
  await writeConfigFile(file, addItem(cleared, listPath, dialect, item), options);
  return own.length === 0 ? 'added' : 'changed';
}

/** Takes it out again; a file that held nothing else goes. */
export async function removeGuard(target: Target): Promise<GuardOutcome> {
  const { hook } = target;
  const file = await readConfigFile(target.path, target.newFileMode);
  if (file.text === undefined) return 'absent';
  if (hook.kind === 'file') {
    if (!isGuardText(file.text)) return 'absent';
    await deleteConfigFile(file);
    return 'removed';
  }
  const { dialect, listPath, fileExtras = {} } = hook;
  if (!readList(file.text, listPath, dialect).some(isGuard)) return 'absent';
  const after = removeItems(file.text, listPath, dialect, isGuard);
  if (isDeepStrictEqual(tryParse(after), fileExtras)) await deleteConfigFile(file);
  else await writeConfigFile(file, after, { backsUp: !target.isBackedUp });
  return 'removed';
}

/** Ours is known by what it runs, whichever version put it there. */
function isGuard(item: unknown): boolean {
  if (!isObject(item)) return false;
  const hooks: readonly unknown[] = Array.isArray(item.hooks) ? item.hooks : [item];
  return hooks.some((hook) => {
    if (!isObject(hook)) return false;
    const isScript = typeof hook.command === 'string' && /[\\/]hooks[\\/]guard\.mjs/.test(hook.command);
    return isScript || (hook.type === 'mcp_tool' && hook.tool === 'guard' && hook.server === 'bus');
  });
}

/** Whether a file holds a hook of ours, for whoever only looks. */
export function isGuardText(text: string): boolean {
  return /[\\/]hooks[\\/]+guard\.mjs/.test(text) || /"tool"\s*:\s*"guard"/.test(text);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
