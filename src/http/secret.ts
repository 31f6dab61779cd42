/**
 * The secrets that a bus accepts: its own, and while clients change over to it the one before, on a second line. A
 * header cannot hold a line break, so no secret has one in it.
 */
export function toAcceptedSecrets(text: string): readonly string[] {
  return text.split('\n');
}

/** The one of them that a client sends. */
export function toSentSecret(text: string): string {
  return toAcceptedSecrets(text)[0] as string;
}
