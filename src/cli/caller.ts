import type { Operation } from '../contract/operation.ts';
import type { Invocation } from './command.ts';
import { toLoginName } from './folders.ts';

/** The input with whoever calls filled in, and the id that was filled in, if one was. */
type Called = Readonly<{ input: Record<string, unknown>; caller?: string | undefined }>;

/**
 * Fills in who calls, where nobody says: the person who is logged in, or the agent of this shell.
 *
 * This is the one place that knows who a command is. Without `BUS_MCP_AGENT_ID` each command is an agent of its own.
 * Such an agent can post, but must not hold a lane: the next command could not release it. So an `owner` is left out
 * then, and the check of the input refuses the call.
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

/** What to do about an owner that is missing. */
export const ownerAdvice =
  'is required: name yourself, or set BUS_MCP_AGENT_ID once for this shell, so that later commands can renew and release the lane';
