import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type SourceFile = Readonly<{ path: string; text: string; lines: readonly string[] }>;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The files of the project below these folders, as they stand on the disk. */
export function readFiles(folders: readonly string[], ending: RegExp): readonly SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => ending.test(name) && !name.split('/').includes('node_modules'))
      .map((name) => readFile(folder === '.' ? name : `${folder}/${name}`)),
  );
}

function readFile(path: string): SourceFile {
  const text = readFileSync(`${root}${path}`, 'utf8');
  return { path, text, lines: text.split('\n') };
}
