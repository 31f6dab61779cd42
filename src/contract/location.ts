/** What a text that names a store can be; nothing here ever repeats it, because a password may stand in it. */

/** `postgres://…`: everything else that is not foreign is the path of a file. */
export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/**
 * The address of something that is no store, or a mistyped one of a store: taken for a path, it would become a folder
 * that shows the password. The letter of a drive is no scheme.
 */
export function isForeignUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\//i.test(location) && !isPostgresUrl(location);
}

export const locationProblem =
  'must be the path of a file, or postgres://user@host/database (a path that begins like an address is written ./so)';
