import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

/** The versions of Node.js that people have, oldest first. */
export const nodeVersions = [20, 22, 24] as const;
type NodeVersion = (typeof nodeVersions)[number];

/** The program of that version: the one that runs this, or the one that the npm package `node` brings. */
export function provideNode(version: NodeVersion): string {
  if (process.version.startsWith(`v${version}.`)) return process.execPath;
  // `node` is a package whose install script fetches this one; asked for by its own name it needs no script.
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  // Kept between runs: it is a download of 50 MB.
  const folder = resolve('node_modules/.cache/bus-mcp', `node-${version}`);
  const file = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const asked = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
    execFileSync('npm', [...asked, `${name}@${version}`], { timeout: 120_000, stdio: 'pipe' });
  }
  return file;
}

/** An environment in which `node`, and with it `npm`, is that program, and nothing is known of this user. */
export function toEnvironment(nodeFile: string, home: string): Record<string, string> {
  const path = [dirname(nodeFile), process.env.PATH ?? ''].join(delimiter);
  return { PATH: path, HOME: home, XDG_DATA_HOME: join(home, 'data'), BUS_PORT: '0' };
}
