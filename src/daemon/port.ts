import { connect } from 'node:net';
import { ask, type Heard } from './ask.ts';

/** What is at a port of this machine. */
export type PortUse = Readonly<{ use: 'free' }> | Readonly<{ use: 'bus' | 'program'; who: string }>;

const timeoutMilliseconds = 1_000;

/** Checks who listens there: our bus, another bus with the same API, or something else. */
export async function findPortUse({
  host,
  port,
}: Readonly<{ host: string; port: number }>): Promise<PortUse> {
  const name = toReachableName(host);
  if (!(await isTaken(name, port))) return { use: 'free' };
  const origin = `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
  const health = await ask(new URL('/healthz', origin), timeoutMilliseconds);
  if (health.heard === 'answer' && typeof health.value?.version === 'string' && 'store' in health.value) {
    return { use: 'bus', who: `another bus (version ${health.value.version}, of other data)` };
  }
  const status = await ask(new URL('/api/bus/status', origin), timeoutMilliseconds);
  if (status.heard === 'answer' && status.value !== undefined && 'active_lanes' in status.value) {
    return { use: 'bus', who: 'another kind of bus' };
  }
  return { use: 'program', who: programWords[health.heard] };
}

const programWords: Readonly<Record<Heard['heard'], string>> = {
  answer: 'a program that speaks HTTP but is not a bus',
  nothing: 'a program that does not respond, perhaps a suspended bus',
  nobody: 'another program',
  noise: 'another program',
};

/** The name to connect to for a server that listens on this host. */
function toReachableName(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host.replace(/^\[(.*)\]$/, '$1');
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMilliseconds });
    const end = (taken: boolean) => () => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}
