import type { Bus, Output } from '../contract/contract.ts';
import { BusError, BusUnreachableError, isRefusal } from '../contract/errors.ts';
import { type Check, fail, ok, warn } from './check.ts';
import { isOlder } from './upgrade.ts';

export type BusChecksOptions = Readonly<{
  bus: Bus;
  /** What to do when this bus does not respond. */
  remedy: string;
  /** The version of this program. */
  version: string;
  secret: SecretUse;
  /** Milliseconds since 1970 on this machine. */
  now: () => number;
}>;

/** Whether a write secret is set here, and whether this bus receives it. */
export type SecretUse = 'set' | 'unset' | 'withheld';

const clockMillisecondsMax = 2_000;
/** If the times stored by the bus are ahead by more than this, somebody should act: a restart does not help. */
const aheadMillisecondsMax = 60_000;
const aheadRemedy =
  'start the bus again; if it stays ahead and the clock of this machine is right, stop the bus, run bus-mcp backup FILE, and then bus-mcp restore FILE --reset-clock';

/** Checks what a bus says about itself. If it does not respond, that is the only finding. */
export async function checkBus(options: BusChecksOptions): Promise<readonly Check[]> {
  const { bus, remedy, now } = options;
  const askedAt = now();
  try {
    const { _meta: meta } = await bus.getBusStatus({});
    const answeredAt = now();
    return [
      ok(
        'bus',
        `answers in ${Math.round(answeredAt - askedAt)} ms; store ${meta.store}, up ${meta.uptime_s} s`,
      ),
      checkVersion(meta.version, options.version),
      await checkSecret(options, meta),
      checkClock(Date.parse(meta.ts), { askedAt, answeredAt }),
      checkLanes(meta),
    ];
  } catch (error) {
    if (error instanceof BusUnreachableError) return [fail('bus', error.message.split(';')[0] ?? '', remedy)];
    if (error instanceof BusError) return [fail('bus', `it refuses: ${error.detail}`, remedy)];
    // An older bus may lack the fields that this check reads.
    return [warn('bus', 'answers, but not as this version expects', 'upgrade the bus')];
  }
}

type Meta = Output<'getBusStatus'>['_meta'];

export function checkVersion(theirs: string, own: string): Check {
  if (theirs === own) return ok('version', `${own}, here and there`);
  const finding = `the bus has ${theirs}, this is ${own}`;
  return isOlder(theirs, own)
    ? warn('version', finding, 'start the bus again: bus-mcp down, or its serve command')
    : warn('version', finding, 'upgrade this one: npm install bus-mcp@latest');
}

/**
 * Sends a write without content. The bus checks the secret first and then refuses the write, so nothing is stored.
 */
async function checkSecret({ bus, secret }: BusChecksOptions, meta: Meta): Promise<Check> {
  if (!meta.write_secret_armed) {
    return secret === 'unset'
      ? ok('secret', 'none, here and there: writes are open to this machine')
      : warn('secret', 'set here, but the bus takes writes without', 'start the bus with BUS_WRITE_SECRET');
  }
  const remedy = 'set BUS_WRITE_SECRET to the secret of the bus';
  if (secret === 'withheld') {
    const finding =
      'the bus demands one, and the one set here is not sent to a bus that cannot prove to be yours';
    return fail('secret', finding, 'set BUS_MCP_BASE_URL to the address of this bus');
  }
  if (secret === 'unset')
    return fail('secret', 'the bus demands one for writes, and none is set here', remedy);
  const error: unknown = await bus.postMessage({} as never).catch((reason) => reason);
  if (isRefusal(error, 'invalid_input')) return ok('secret', 'the one set here is the one of the bus');
  if (isRefusal(error, 'unauthorized'))
    return fail('secret', 'the one set here is not that of the bus', remedy);
  return warn('secret', 'this bus does not say whether it is the right one', 'post a message to find out');
}

export function checkClock(
  busTime: number,
  { askedAt, answeredAt }: Readonly<{ askedAt: number; answeredAt: number }>,
): Check {
  const difference = busTime - (askedAt + answeredAt) / 2;
  const finding = `the bus is ${(Math.abs(difference) / 1000).toFixed(1)} s ${difference < 0 ? 'behind' : 'ahead'}`;
  const uncertain = (answeredAt - askedAt) / 2;
  if (Math.abs(difference) <= clockMillisecondsMax + uncertain) return ok('clock', finding);
  if (difference > aheadMillisecondsMax) return warn('clock', finding, aheadRemedy);
  return warn('clock', finding, 'leases are not touched by it, times shown are: start the bus again');
}

function checkLanes({ active_lane_count: held, orphaned_claim_count: orphaned }: Meta): Check {
  const finding = `${held} held, ${orphaned} orphaned`;
  return orphaned === 0
    ? ok('lanes', finding)
    : warn('lanes', finding, 'claim an orphan to go on with it, or release it: bus-mcp status');
}
