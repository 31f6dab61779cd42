/**
 * The secrets that a bus accepts: its own, and on a second line the previous one, while clients are switching. A
 * header cannot contain a line break, so no secret does.
 */
export function toAcceptedSecrets(text: string): readonly string[] {
  return text.split('\n');
}

/** The one that a client sends. */
export function toSentSecret(text: string): string {
  return toAcceptedSecrets(text)[0] as string;
}
