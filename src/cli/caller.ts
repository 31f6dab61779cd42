import type { Operation } from '../contract/operation.ts';
import type { Invocation } from './command.ts';
import { toLoginName } from './folders.ts';

/** The input with the caller filled in, and the id that was used for that, if any. */
type Called = Readonly<{ input: Record<string, unknown>; caller?: string | undefined }>;

/**
 * Fills in the caller where the call does not name one: the person who is logged in, or the agent of this shell.
 *
 * This is the only place that knows who runs a command. Without `BUS_MCP_AGENT_ID` each command counts as an agent
 * of its own. Such an agent may post, but must not hold a lane, because the next command could not release it. In
 * that case `owner` is left out, and the input check refuses the call.
 */
export function fillInCaller(
  { agentField, personField }: Operation,
  input: Record<string, unknown>,
  { config, environment }: Invocation,
): Called {
  const field = agentField ?? personField;
  if (field === undefined || input[field] !== undefined) return { input };
  if (field === 'owner' && !config.given.has('agentId')) return { input };
  const caller = agentField === undefined ? toLoginName(environment) : config.agentId;
  return { input: { ...input, [field]: caller }, caller };
}

/** What to do when the owner is missing. */
export const ownerAdvice =
  'is required: name yourself, or set BUS_MCP_AGENT_ID once for this shell, so that later commands can renew and release the lane';
