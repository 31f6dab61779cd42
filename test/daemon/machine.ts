import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, readAddress } from '../../src/daemon/address.ts';
import { isAlive } from '../../src/daemon/processes.ts';
import { commandFile } from '../build.ts';
import { type CommandProcess, runCommand, startCommand } from '../processes.ts';

/** A user on a machine on which nothing of this product ran before. */
export type Home = Readonly<{
  folder: string;
  /** Where the bus of this user keeps its files. */
  place: Readonly<{ database: string; address: string; log: string }>;
  environment: Readonly<Record<string, string>>;
  start(argv: readonly string[], more?: NodeJS.ProcessEnv): CommandProcess;
  /** Runs the command to its end. */
  run(argv: readonly string[], more?: NodeJS.ProcessEnv): Promise<Ran>;
  address(): Address | undefined;
  /** The bus processes of this user. */
  buses(): readonly number[];
  /** Ends every process that this user has, and removes the files. */
  remove(): Promise<void>;
}>;

type Ran = Readonly<{ status: number | string; output: string; errorOutput: string }>;

export function createHome(): Home {
  const folder = mkdtempSync(join(tmpdir(), 'bus-mcp-home-'));
  const data = join(folder, 'data');
  const database = join(data, 'bus-mcp', 'bus.db');
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_DATA_HOME: data,
    BUS_PORT: '0',
  };
  const start: Home['start'] = (argv, more = {}) => startCommand(argv, { ...environment, ...more });
  const buses = () =>
    listProcesses(data)
      .filter(({ parts }) => parts.includes('serve'))
      .map(({ id }) => id);
  return {
    folder,
    place: { database, address: `${database}.address`, log: `${database}.log` },
    environment,
    start,
    run: (argv, more) => runCommand(argv, { ...environment, ...more }),
    address: () => readAddress(`${database}.address`),
    buses,
    async remove() {
      for (const { id } of listProcesses(data)) process.kill(id, 'SIGKILL');
      while (listProcesses(data).some(({ id }) => isAlive(id))) await tick();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** The processes of the command that were given this data folder, as the system lists them. */
function listProcesses(data: string): readonly Readonly<{ id: number; parts: readonly string[] }>[] {
  if (!existsSync('/proc')) throw new Error('these tests read /proc: run them on Linux');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({
      id: Number(name),
      parts: readParts(name, 'cmdline'),
      variables: readParts(name, 'environ'),
    }))
    .filter(({ parts }) => parts.includes(commandFile))
    .filter(({ variables }) => variables.includes(`XDG_DATA_HOME=${data}`));
}

function readParts(process: string, file: string): readonly string[] {
  try {
    return readFileSync(`/proc/${process}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
