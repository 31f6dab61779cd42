// One bus process as it ships, killed and started again on the same store and port.
import { spawn } from 'node:child_process';

const startMillisecondsMax = 60_000;

const running = new Map();
let isOver = false;

/** No bus outlives the soak, and none is started any more. */
export async function endAll() {
  isOver = true;
  for (const child of running.keys()) child.kill('SIGKILL');
  await Promise.all(running.values());
}

export function createBusProcess({ store, home, commandFile, environment = {} }) {
  let child;
  let exited = Promise.resolve();
  let port = 0;
  let said = '';

  /** Begins to start it; nobody says that it will come to listen. */
  function launch() {
    if (isOver) return Promise.reject(new Error('the soak is over'));
    said = '';
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      BUS_STORE: store,
      BUS_PORT: String(port),
      ...environment,
    };
    const started = spawn(process.execPath, [commandFile, 'serve'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    exited = new Promise((resolve) => started.once('exit', resolve)).finally(() => running.delete(started));
    running.set(started, exited);
    const listen = (chunk) => {
      said = `${said}${chunk}`.slice(-4_000);
      const found = /listens on {2}http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (found) port = Number(found);
    };
    started.stdout.on('data', listen);
    started.stderr.on('data', listen);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(toFailure('did not start in time', said)), startMillisecondsMax);
      const settle = (finish) => () => {
        clearTimeout(timer);
        started.stdout.off('data', look);
        finish();
      };
      const isUp = settle(resolve);
      const look = () => {
        if (said.includes('Stop it with Ctrl-C')) isUp();
      };
      started.stdout.on('data', look);
      started.once(
        'exit',
        settle(() => reject(toFailure('did not start', said))),
      );
    });
  }

  return {
    launch,
    async kill(signal = 'SIGKILL') {
      child?.kill(signal);
      await exited;
    },
    get port() {
      return port;
    },
    get pid() {
      return child?.pid;
    },
    /** The last that it said; none of it is for callers. */
    said: () => said,
  };
}

function toFailure(what, said) {
  return new Error(`the bus ${what}. It said:\n${said}`);
}
