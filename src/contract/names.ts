/** `claimLane` as the tools and the wire say it: `claim_lane`. */
export function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `claimLane` as the command line says it: `claim-lane`; `lease_s` becomes `lease-s`. */
export function toKebabCase(name: string): string {
  return toSnakeCase(name).replaceAll('_', '-');
}
