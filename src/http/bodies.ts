import { toBusError } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import type { Answers, Exchange } from './answers.ts';
import { bodyLengthOf } from './body.ts';

/**
 * Limits how much memory request bodies take, from the head of a request to its response. When there is no room, the
 * request that has been sending longest is dropped. Otherwise a few senders that never finish could lock out all
 * others.
 */
export function createBodies({
  requestBytesHeldMax,
  answers,
}: Readonly<{ requestBytesHeldMax: number; answers: Answers }>) {
  const held = new Map<Exchange, number>();
  let bytesHeld = 0;

  /** Throws a refusal when there is no room for this body. */
  function admit(exchange: Exchange): void {
    const bytes = bytesOf(exchange);
    if (bytes <= limits.requestBytesSmall) return;
    while (bytesHeld + bytes > requestBytesHeldMax) {
      const slowest = [...held.keys()].find(({ request }) => !request.complete);
      if (!slowest) throw toBusy();
      answers.dismiss(slowest, toBusy());
      forget(slowest);
    }
    held.set(exchange, bytes);
    bytesHeld += bytes;
    exchange.response.once('close', () => forget(exchange));
  }

  function forget(exchange: Exchange): void {
    bytesHeld -= held.get(exchange) ?? 0;
    held.delete(exchange);
  }

  return { admit };
}

/** The most bytes that may come. A body that announces more is refused before it is read. */
function bytesOf({ request }: Exchange): number {
  const length = bodyLengthOf(request);
  if (length === Number.POSITIVE_INFINITY) return limits.requestBytesMax;
  return length > limits.requestBytesMax ? 0 : length;
}

function toBusy() {
  const detail = 'more is being sent than the bus can hold at once; nothing was kept: repeat the call in 1 s';
  return toBusError('unavailable', detail, { retry_after_s: 1 });
}
