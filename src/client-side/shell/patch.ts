/** The files that a patch changes, both sides of a rename: in the form of `apply_patch`, or a unified diff of git. */
export function findPatched(patch: string): readonly string[] {
  const marked = [...patch.matchAll(/^\*\*\* (?:(?:Add|Update|Delete) File|Move to): (.+?)\s*$/gm)];
  const sides = [...patch.matchAll(/^(?:---|\+\+\+) (?:"?[ab]\/)(.+?)"?(?:\t.*)?\s*$/gm)];
  const renamed = [...patch.matchAll(/^(?:rename|copy) (?:from|to) "?(.+?)"?\s*$/gm)];
  const found = marked.length > 0 ? marked : [...sides, ...renamed];
  return [...new Set(found.map(([, path]) => path ?? ''))];
}
