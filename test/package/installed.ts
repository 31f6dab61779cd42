import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from 'esbuild';

const execute = promisify(execFile);

/** What `npm publish` would send, without building it again: every run of the tests has built it. */
export async function packPackage(folder: string): Promise<{ file: string; bytes: number }> {
  const asked = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await execute('npm', asked, { timeout: 60_000 });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const file = join(folder, filename);
  return { file, bytes: statSync(file).size };
}

/** The package as a user has it: installed from the tarball into an empty folder. */
export type Installed = Readonly<{
  folder: string;
  /** The installed command. */
  command: string;
  environment: Record<string, string>;
  /** Every package below `node_modules`. */
  packages: readonly string[];
  /** Runs the command to its end and answers what it printed. */
  run(argv: readonly string[]): Promise<string>;
  /** Runs a script of that folder, whose imports find the package. */
  runScript(source: string): Promise<string>;
}>;

export async function installPackage(
  asked: Readonly<{
    tarball: string;
    folder: string;
    nodeFile: string;
    environment: Record<string, string>;
    flags: readonly string[];
  }>,
): Promise<Installed> {
  const { tarball, folder, nodeFile, environment, flags } = asked;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  const npm = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, tarball];
  await execute('npm', npm, {
    cwd: folder,
    env: { ...process.env, PATH: environment.PATH },
    timeout: 120_000,
  });
  const options = { cwd: folder, env: environment, timeout: 30_000 };
  const command = join(folder, 'node_modules', '.bin', 'bus-mcp');
  return {
    folder,
    command,
    environment,
    packages: listPackages(join(folder, 'node_modules')),
    run: async (argv) => (await execute(command, [...argv], options)).stdout,
    async runScript(source) {
      const file = join(folder, 'script.mjs');
      writeFileSync(file, source);
      return (await execute(nodeFile, [file], options)).stdout;
    },
  };
}

/** Compiles the example where nothing but the package is there, its declarations included; throws what is wrong. */
export async function checkExample(folder: string): Promise<void> {
  copyFileSync('examples/library.ts', join(folder, 'library.ts'));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    target: 'es2023',
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['library.ts'] }));
  await execute('npx', ['tsc', '--project', folder], { timeout: 60_000 }).catch(({ stdout }) => {
    throw new Error(stdout);
  });
}

/** The example as JavaScript, so that versions of Node.js that read no types can run it. */
export function readExample(): string {
  const source = readFileSync('examples/library.ts', 'utf8');
  return transformSync(source, { loader: 'ts', format: 'esm', target: 'node20' }).code;
}

function listPackages(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((one) => `${name}/${one}`) : [name],
    );
}
