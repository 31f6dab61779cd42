import { isRefusal } from '../contract/errors.ts';
import { toAnswer } from './replies.ts';
import { type Admit, createSender, type Failure, type Reply, type WireRequest } from './send.ts';

export type Senders = Readonly<{
  send: (request: WireRequest) => Promise<Reply | Failure>;
  /** Whether a repeat is safe, as far as the responses so far have shown. */
  mayRepeat: (request: WireRequest) => boolean;
  close: () => void;
}>;

/**
 * Several buses on one database act as one bus. When one is unreachable or cannot serve, the next one is tried, each
 * of them once. The one that responds stays the current one until it fails itself. Sending a call to another bus is
 * safe, because the idempotency key is in the shared database.
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
      // Other calls may have switched in the meantime.
      if (current === asked) current = (asked + 1) % senders.length;
      // The caller's time is used up.
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

/** Whether the bus went away during the call: it sent no response, or said that it is stopping and stored nothing. */
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
