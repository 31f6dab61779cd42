/** `claimLane` becomes `claim_lane`, for tools and the wire. */
export function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `claimLane` becomes `claim-lane`, for the command line; `lease_s` becomes `lease-s`. */
export function toKebabCase(name: string): string {
  return toSnakeCase(name).replaceAll('_', '-');
}
