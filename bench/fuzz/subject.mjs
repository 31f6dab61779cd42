// A process as it ships, watched for what it holds and for how it ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const observer = new URL('observer.mjs', import.meta.url).href;

export function startSubject({ command, environment }) {
  const child = spawn(process.execPath, ['--expose-gc', '--import', observer, ...command], {
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-8_000);
  });
  child.stdin.on('error', () => {});
  const ended = once(child, 'exit');
  return {
    child,
    said: () => said,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    async measure() {
      child.send('measure');
      const [found] = await Promise.race([
        once(child, 'message'),
        ended.then(() => Promise.reject(new Error(`the process ended. It said:\n${said}`))),
      ]);
      return found;
    },
    /** Answers whether it ended when it was told to. */
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 8_000);
      await ended;
      clearTimeout(force);
      return child.signalCode !== 'SIGKILL';
    },
  };
}

const growthBytesMax = 32 * 1024 * 1024;
const resourcesMax = 20;

/** Faults of a process that was measured before and after. */
export function toLeaks(name, before, after) {
  const faults = [];
  const grown = after.heapBytes - before.heapBytes;
  if (grown > growthBytesMax) faults.push(`${name}: the heap grew by ${Math.round(grown / 1e6)} MB`);
  if (after.resources > before.resources + resourcesMax) {
    faults.push(`${name}: ${after.resources} open resources, ${before.resources} before`);
  }
  return faults;
}
