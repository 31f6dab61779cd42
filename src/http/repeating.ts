import { pause } from '../lease/timers.ts';
import { brokenWords, type Failure, type Reply, type WireRequest } from './send.ts';
import { isCutShort, type Senders } from './senders.ts';

export type RepeatingOptions = Readonly<{ isClosed: () => boolean; waitsForReturn: boolean }>;

/** Sends a request, and repeats it for some seconds while the bus is going away. */
export async function sendRepeatedly(
  senders: Senders,
  request: WireRequest,
  { isClosed, waitsForReturn }: RepeatingOptions,
): Promise<Reply | Failure> {
  let outcome = await senders.send(request);
  let isPerhapsKept = isUncertain(outcome);
  if (!isCutShort(outcome)) return isPerhapsKept ? toUncertain(outcome, request) : outcome;
  for (const delayMs of repeatAfterMs) {
    if (isClosed()) break;
    await pause(delayMs, request.signal);
    outcome = isPerhapsKept ? await sendAgain(senders, request) : await senders.send(request);
    isPerhapsKept ||= isUncertain(outcome);
    // If the first attempt is refused, there is no bus. If it is refused after a break, the bus is not back yet.
    const isAway = 'failure' in outcome && outcome.failure === 'refused';
    if (isAway ? !waitsForReturn : !isCutShort(outcome)) break;
  }
  return isPerhapsKept ? toUncertain(outcome, request) : outcome;
}

/** About five seconds in total, enough for a bus to restart. */
const repeatAfterMs = [100, 200, 400, 800, 1_600, 1_900];

/**
 * Before sending a message for the second time to a bus that nothing is known about, ask it something harmless. Its
 * response shows whether it would store the message twice.
 */
async function sendAgain(senders: Senders, request: WireRequest): Promise<Reply | Failure> {
  if (senders.mayRepeat(request)) return await senders.send(request);
  const { accept, 'user-agent': userAgent } = request.headers;
  const headers = { accept, 'user-agent': userAgent };
  const question = { ...request, method: 'GET', path: '/messages?limit=1', headers, body: undefined };
  const shown = await senders.send({ ...question, isAppend: false });
  if ('failure' in shown) return shown;
  return senders.mayRepeat(request) ? await senders.send(request) : foreign;
}

const foreign: Failure = { failure: 'other', words: brokenWords };

function isUncertain(outcome: Reply | Failure): boolean {
  return 'failure' in outcome && (outcome.failure === 'broken' || outcome.failure === 'timeout');
}

/** Without this refusal callers would repeat the message as a new one. */
function toUncertain(outcome: Reply | Failure, { isAppend }: WireRequest): Reply | Failure {
  if (!('failure' in outcome) || !isAppend) return outcome;
  return { ...outcome, words: `${outcome.words} (it may have been kept: look before you repeat it)` };
}
