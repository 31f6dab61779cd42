import type { CompleteRequest, CompleteResult } from '@modelcontextprotocol/server';
import type { Bus, Call } from '../contract/contract.ts';
import { promptNames } from './prompts.ts';
import { laneUriTemplate, topicUriTemplate } from './uris.ts';

type Asked = CompleteRequest['params'];

/** The kind of value an argument takes, so that the bus can suggest values. */
type Subject = 'lane' | 'topic' | 'agent';

/** The maximum that the protocol allows. */
const valuesMax = 100;
/** Topics are found in messages, so look through this many of the newest. */
const messagesMax = 100;

/**
 * Completes names of lanes, topics and agents from the current state of the bus. An unreachable bus completes
 * nothing.
 */
export async function complete(bus: Bus, { ref, argument }: Asked, call: Call): Promise<CompleteResult> {
  const subject = subjectOf(ref, argument.name);
  const names = subject ? await readNames(bus, subject, call).catch(() => []) : [];
  const typed = argument.value.toLowerCase();
  const fitting = [...new Set(names)].filter((name) => name.toLowerCase().startsWith(typed)).sort();
  return {
    completion: {
      values: fitting.slice(0, valuesMax),
      total: fitting.length,
      hasMore: fitting.length > valuesMax,
    },
  };
}

function subjectOf(ref: Asked['ref'], argumentName: string): Subject | undefined {
  if (ref.type === 'ref/prompt') {
    if (ref.name !== promptNames.handoff) return undefined;
    return argumentName === 'lane' ? 'lane' : argumentName === 'to' ? 'agent' : undefined;
  }
  if (ref.uri === laneUriTemplate && argumentName === 'lane') return 'lane';
  return ref.uri === topicUriTemplate && argumentName === 'topic' ? 'topic' : undefined;
}

async function readNames(bus: Bus, subject: Subject, call: Call): Promise<string[]> {
  if (subject === 'topic') {
    const { messages } = await bus.readMessages({ limit: messagesMax }, call);
    return messages.map((message) => message.topic);
  }
  // Older buses leave fields out.
  const status = await bus.getBusStatus({}, call);
  const { active_lanes = [], orphaned_claims = [], waiting = [], recent_messages = [] } = status;
  const claims = [...active_lanes, ...orphaned_claims, ...waiting];
  if (subject === 'lane') return claims.map((claim) => claim.lane);
  return [...claims.map((claim) => claim.owner), ...recent_messages.map((message) => message.sender)];
}
