/**
 * Recognises what a text that names a store means. Nothing here ever repeats the text, because it may contain a
 * password.
 */

/** `postgres://…`. Any other text that is not a foreign URL is a file path. */
export function isPostgresUrl(location: string): boolean {
  return /^postgres(ql)?:\/\//i.test(location);
}

/**
 * A URL that is not a store, or a mistyped one. As a path it would create a folder that shows the password. A drive
 * letter is not a scheme.
 */
export function isForeignUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\//i.test(location) && !isPostgresUrl(location);
}

export const locationProblem =
  'must be the path of a file, or postgres://user@host/database (a path that begins like an address is written ./so)';
