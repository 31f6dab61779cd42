import { BusUnreachableError, toBusError } from '../../src/contract/errors.ts';
import { createKeepAlive } from '../../src/mcp/keep-alive.ts';
import { createManualClock } from './manual-clock.ts';
import { createScriptedBus } from './scripted-bus.ts';

export const grant = { lane: 'docs', owner: 'ada', leaseSeconds: 300, fence: 7 };
export const lost = () =>
  toBusError('not_holder', 'not held', { lane: 'docs', owner: null, expires_in_s: 0 });
export const unreachable = () => new BusUnreachableError('no bus', 'http://127.0.0.1:1');

/** A keep-alive in front of a bus that follows a script, with a clock that the test moves. */
export function open(script: Parameters<typeof createScriptedBus>[0] = {}, ceilingSeconds = 4 * 3600) {
  const clock = createManualClock();
  const { bus, calls } = createScriptedBus(script);
  const keepAlive = createKeepAlive({ bus, timers: clock.timers, ceilingSeconds });
  const count = (name: string) => calls.filter((call) => call.name === name).length;
  return { clock, bus, calls, keepAlive, count };
}
