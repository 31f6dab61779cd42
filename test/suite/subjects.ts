import type { Rule } from './rule.ts';
import { agents } from './rules/agents.ts';
import { badInput } from './rules/bad-input.ts';
import { claims } from './rules/claims.ts';
import { cursors } from './rules/cursors.ts';
import { events } from './rules/events.ts';
import { fences } from './rules/fences.ts';
import { flags } from './rules/flags.ts';
import { leases } from './rules/leases.ts';
import { limitRules } from './rules/limits.ts';
import { lines } from './rules/lines.ts';
import { messages } from './rules/messages.ts';
import { pages } from './rules/pages.ts';
import { presence } from './rules/presence.ts';
import { pruning } from './rules/pruning.ts';
import { repeats } from './rules/repeats.ts';
import { scopeLines } from './rules/scope-lines.ts';
import { scopes } from './rules/scopes.ts';
import { status } from './rules/status.ts';
import { stopping } from './rules/stopping.ts';
import { waiting } from './rules/waiting.ts';

/** What every bus must do. */
export const subjects: Readonly<Record<string, readonly Rule[]>> = {
  messages,
  cursors,
  'pages of long messages': pages,
  claims,
  leases,
  fences,
  'waiting for messages and events': waiting,
  'waiting for a lane': lines,
  scopes,
  'waiting for scopes': scopeLines,
  repeats,
  events,
  flags,
  pruning,
  agents,
  presence,
  status,
  'bad input': badInput,
  limits: limitRules,
  stopping,
};
