// The files that everybody works on, and a record of every edit: from when the file was read until it was written.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const files = [
  'src/parser/lexer.ts',
  'src/parser/grammar.ts',
  'src/store/rows.ts',
  'src/store/index.ts',
  'docs/guide.md',
];

export function createRepository() {
  const folder = mkdtempSync(join(tmpdir(), 'bus-trial-'));
  execFileSync('git', ['init', '--quiet', folder]);
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${file}\n`);
  }
  const edits = [];

  /** Reads, thinks and writes, as an agent does: what others wrote meanwhile is gone. */
  async function edit({ file, agent, thinkMilliseconds }) {
    const path = join(folder, file);
    const line = `edit ${edits.length + 1} by ${agent}`;
    const record = { file, agent, line, from: performance.now(), to: Number.POSITIVE_INFINITY };
    edits.push(record);
    const text = readFileSync(path, 'utf8');
    await pause(thinkMilliseconds);
    writeFileSync(path, `${text}${line}\n`);
    record.to = performance.now();
  }

  return {
    folder,
    files,
    edit,
    edits: () => edits,
    countCollisions: () => countCollisions(edits),
    countLost: () => edits.filter(({ file, line }) => !readLines(join(folder, file)).includes(line)).length,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Pairs of edits of one file by two agents that overlap in time. */
function countCollisions(edits) {
  const collides = (one, other) =>
    one.file === other.file && one.agent !== other.agent && one.from < other.to && other.from < one.to;
  return edits.reduce(
    (count, one, index) => count + edits.slice(index + 1).filter((other) => collides(one, other)).length,
    0,
  );
}

function readLines(path) {
  return readFileSync(path, 'utf8').split('\n');
}
