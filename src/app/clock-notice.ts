import type { Notice } from '../store/notice.ts';

/** The time servers of a machine cause small differences; those are not worth a line. */
const aheadMillisecondsMax = 60_000;

/** The log line at startup when the stored times are ahead of this machine; undefined when they are not. */
export function toClockNotice(busTime: number, machineTime: number): Notice | undefined {
  const seconds = Math.round((busTime - machineTime) / 1000);
  if (seconds * 1000 <= aheadMillisecondsMax) return undefined;
  const message =
    'the times that this bus keeps are ahead of the clock of this machine, because a bus ran on its store while a clock was wrong; ' +
    'leases work, and new times go on from there. If the clock of this machine is right, stop the bus, run bus-mcp backup FILE, ' +
    'and then bus-mcp restore FILE --reset-clock';
  return { level: 'warn', message, data: { seconds_ahead: seconds } };
}
