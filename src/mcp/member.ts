import type { OperationName } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import type { Operation } from '../contract/operation.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a member is told once. */
export type MemberNews = Readonly<{ you?: string; shared_with?: unknown; note?: string }>;

/** One session as this server knows it: its id, and under which ids it holds lanes. */
export type Member = Readonly<{
  agent: string;
  /** The arguments with whoever acts and reads filled in, where the call leaves it out. */
  fill(tool: Readonly<{ operationName: OperationName; operation: ActingFields }>, given: Fields): Fields;
  /** Remembers what a call did to a lane. */
  learn(name: OperationName, input: Fields): void;
  /** The refusal in the words of whoever is refused by a lane that it holds itself, under another id. */
  explain(error: unknown, input: Fields): unknown;
  takeNews(): MemberNews;
}>;

type ActingFields = Pick<Operation, 'agentField' | 'readerField'>;

type MemberOptions = Readonly<{
  agent: string;
  /** Whether the bus takes `reader`: an older one refuses what it does not know. */
  isKnownToBus: boolean;
  news?: MemberNews;
}>;

export function createMember({ agent, isKnownToBus, news = {} }: MemberOptions): Member {
  const heldAs = new Map<string, string>();
  let untold = news;
  const isNamedAfter = (id: unknown) => id === agent || String(id).startsWith(`${agent}/`);

  /** A parent that claims the lane of its subagent means a claim of its own, and is refused. */
  function toActor({ lane }: Fields, isClaim: boolean): string {
    const held = heldAs.get(String(lane));
    return held === undefined || (isClaim && isNamedAfter(held)) ? agent : held;
  }

  return {
    agent,

    fill({ operationName, operation: { agentField, readerField } }, given) {
      const filled: Record<string, unknown> = {};
      if (agentField !== undefined && given[agentField] === undefined)
        filled[agentField] = toActor(given, operationName === 'claimLane');
      if (readerField !== undefined && isKnownToBus && given[readerField] === undefined)
        filled[readerField] = agent;
      return { ...given, ...filled };
    },

    learn(name, { lane, owner }) {
      if (name === 'releaseLane') heldAs.delete(String(lane));
      if (name === 'claimLane' || name === 'heartbeatLane') heldAs.set(String(lane), String(owner));
    },

    explain(error, input) {
      const actor = input.owner ?? input.sender;
      const found = error instanceof BusError ? (error.data as Fields | undefined) : undefined;
      const { lane, owner } = found ?? {};
      if (!(error instanceof BusError) || typeof lane !== 'string' || typeof owner !== 'string') return error;
      if (owner === actor || (isNamedAfter(owner) && isNamedAfter(actor))) return error;
      if (!isNamedAfter(owner) && heldAs.get(lane) !== owner) return error;
      const { status, code, data } = error;
      const field = input.owner === undefined ? 'sender' : 'owner';
      const detail = `lane '${lane}' is held by you as '${owner}', and you called as '${actor}': leave ${field} out, or give ${field}='${owner}'`;
      return new BusError({ status, code, data, detail });
    },

    takeNews() {
      const told = untold;
      untold = {};
      return told;
    },
  };
}

/** Whoever calls without saying who it is, where this server does not know it either. */
export const nobody: Member = {
  agent: '',
  fill: (_tool, given) => given,
  learn: () => {},
  explain: (error) => error,
  takeNews: () => ({}),
};
