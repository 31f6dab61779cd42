/**
 * The first variable in the text that nobody filled in: `${AGENT}`, `$AGENT` or `%AGENT%`. Clients differ in what they
 * expand, and take what they do not know for plain text; ten sessions would then be one agent called `${AGENT}`.
 */
export function findUnexpanded(text: string): string | undefined {
  return /\$\{[^}]*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%/.exec(text)?.[0];
}

/** Whether the text is one such variable and nothing else: no setting means that. */
export function isUnexpanded(text: string): boolean {
  return findUnexpanded(text.trim()) === text.trim();
}

export const unexpandedProblem =
  'holds a variable that the client did not fill in: write the value itself there, or leave the setting out';
