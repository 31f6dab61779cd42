/** How ids of agents are made. Two ids that only look alike are two agents: nothing here folds or trims one. */

/** Clients by a word in their names, and what their agents are called. */
const stems: readonly (readonly [word: RegExp, stem: string])[] = [
  [/claude/, 'claude'],
  [/codex/, 'codex'],
  [/cursor/, 'cursor'],
  [/vscode|visual studio code|copilot/, 'vscode'],
  [/gemini/, 'gemini'],
  [/opencode/, 'opencode'],
];

const stemCharactersMax = 24;

/** The first part of the ids that sessions of a client get. */
export function toStem(client: string | undefined): string {
  const name = (client ?? '').toLowerCase();
  const known = stems.find(([word]) => word.test(name));
  if (known) return known[1];
  const slug = name.replace(/[^a-z0-9]+/g, '-').slice(0, stemCharactersMax);
  return slug.replace(/^-+|-+$/g, '') || 'agent';
}

export function toAgentId(stem: string, number: number): string {
  return `${stem}-${number}`;
}

/**
 * The stem and number of an id that could have been given. Somebody who takes such an id by themselves must not meet it
 * again when its number comes.
 */
export function parseAgentId(agent: string): Readonly<{ stem: string; number: number }> | undefined {
  const [, stem, digits] = /^([a-z0-9]+(?:-[a-z0-9]+)*)-([1-9]\d{0,8})$/.exec(agent) ?? [];
  if (stem === undefined || stem.length > stemCharactersMax) return undefined;
  return { stem, number: Number(digits) };
}
