import { isRefusal } from '../contract/errors.ts';
import { toAnswer } from './replies.ts';
import { type Admit, createSender, type Failure, type Reply, type WireRequest } from './send.ts';

export type Senders = Readonly<{
  send: (request: WireRequest) => Promise<Reply | Failure>;
  /** Whether sending it twice does nothing twice, as far as the answers so far have shown. */
  mayRepeat: (request: WireRequest) => boolean;
  close: () => void;
}>;

/**
 * Several buses in front of one database are one bus: when one is away, or cannot serve now, the next is asked, each
 * once, and stays the one until it is away itself. A call may be sent to another, because what it wrote carries its key.
 */
export function createSenders(addresses: readonly URL[], admit?: Admit): Senders {
  const senders = addresses.map((address) => createSender(address, admit));
  let current = 0;
  let honoursKeys = false;

  function mayRepeat({ isAppend }: WireRequest): boolean {
    return !isAppend || honoursKeys;
  }

  async function send(request: WireRequest): Promise<Reply | Failure> {
    let cutShort: Reply | Failure | undefined;
    let unavailable: Reply | undefined;
    let outcome: Reply | Failure = { failure: 'other', words: 'no address was given' };
    for (const _ of senders) {
      const asked = current;
      outcome = await (senders[asked] as (typeof senders)[number]).send(request);
      if (!('failure' in outcome)) honoursKeys ||= outcome.honoursKeys;
      if (!('failure' in outcome) && !isUnavailable(outcome)) return outcome;
      // Other calls may have moved on meanwhile.
      if (current === asked) current = (asked + 1) % senders.length;
      // The time that the caller gave is used up.
      if ('failure' in outcome && outcome.failure === 'timeout') return outcome;
      if (isCutShort(outcome)) {
        if ('failure' in outcome && !mayRepeat(request)) return outcome;
        cutShort = outcome;
      } else if (!('failure' in outcome)) {
        unavailable = outcome;
      }
    }
    return cutShort ?? unavailable ?? outcome;
  }

  function close(): void {
    for (const sender of senders) sender.close();
  }

  return { send, mayRepeat, close };
}

/** Whether the bus went away under the call: without an answer, or saying that it stops and kept nothing. */
export function isCutShort(outcome: Reply | Failure): boolean {
  if ('failure' in outcome) return outcome.failure === 'broken';
  return outcome.isLast && isUnavailable(outcome);
}

function isUnavailable(reply: Reply): boolean {
  if (reply.status !== 503) return false;
  try {
    toAnswer(reply, '');
    return false;
  } catch (error) {
    return isRefusal(error, 'unavailable');
  }
}
