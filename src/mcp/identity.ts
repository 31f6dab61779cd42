import type { Operation } from '../contract/operation.ts';

/** The arguments of a call, and the agent id that was filled in because the caller gave none. */
export type IdentifiedInput = Readonly<{ input: unknown; filledAgentId?: string }>;

/** Fills in who is calling where the operation asks for it, the call does not say it, and it is known. */
export function fillAgentId(
  operation: Pick<Operation, 'agentField'>,
  given: Readonly<Record<string, unknown>>,
  agentId: string | undefined,
): IdentifiedInput {
  const { agentField } = operation;
  if (agentField === undefined || agentId === undefined || given[agentField] !== undefined)
    return { input: given };
  return { input: { ...given, [agentField]: agentId }, filledAgentId: agentId };
}
