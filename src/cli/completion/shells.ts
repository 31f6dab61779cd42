/** The shells that a completion script is made for. The scripts themselves are loaded only when one is asked for. */
export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];
