export const guardModes = ['deny', 'warn', 'off', 'claim'] as const;

/** `warn` says it and lets the edit pass; `claim` also claims what nobody holds, where the session can keep it. */
export type GuardMode = (typeof guardModes)[number];
