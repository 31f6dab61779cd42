import { statSync } from 'node:fs';
import { type HighWater, higher, lowest, type MarkFile, openMarkFile } from './mark.ts';

/** Updates the high-water mark after commits. */
export type MarkKeeper = Readonly<{ after: (commits: readonly HighWater[]) => void; close: () => void }>;

const syncMilliseconds = 1_000;

/** If the disk refuses the mark, commits go on. If somebody removes the mark, it is created again. */
export function createMarkKeeper(path: string, atStart: HighWater): MarkKeeper {
  let mark = lowest;
  let file: MarkFile | undefined;
  let inode: number | undefined;
  let isSynced = true;

  function after(commits: readonly HighWater[]): void {
    mark = commits.reduce(higher, mark);
    attempt(() => {
      file ??= open();
      file.write(mark);
    });
    isSynced = false;
  }

  function open(): MarkFile {
    const opened = openMarkFile(path);
    inode = inodeOf(path);
    return opened;
  }

  function sync(): void {
    if (file && inodeOf(path) !== inode) {
      attempt(file.close);
      file = undefined;
      after([]);
    }
    if (!isSynced) attempt(() => file?.sync());
    isSynced = true;
  }

  const timer = setInterval(sync, syncMilliseconds);
  function close(): void {
    clearInterval(timer);
    sync();
    attempt(() => file?.close());
  }

  after([atStart]);
  return { after, close };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // The next commit tries again.
  }
}
