import { fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { openIndexFile } from './index-file.ts';

/** The write-ahead log and its index, as SQLite's file format describes them. */
export type WriteAheadLog = Readonly<{
  /** The number of committed frames, and the part of the index that any checkpoint changes. */
  readIndex: () => Readonly<{ frames: number; checkpoint: string }>;
  /** Why the next start would not find the committed frames; undefined when it would. */
  findDamage: () => 'cut' | 'overwritten' | undefined;
  /** Makes sure that the next start does not find frames after the last commit. Returns whether that is certain. */
  voidRest: () => boolean;
}>;

/**
 * Opens both files beside SQLite. The descriptors stay open as long as the thread runs: closing the index's
 * descriptor would drop the locks that SQLite holds on it in this process.
 */
export function openLog(path: string): WriteAheadLog {
  const [log, index] = [openSync(`${path}-wal`, 'r+'), openIndexFile(path)];
  const bytes = Buffer.alloc(indexBytes);
  const [header, frame] = [Buffer.alloc(logHeaderBytes), Buffer.alloc(frameHeaderBytes)];
  function readWords() {
    index.keepWhole();
    readSync(index.handle, bytes, 0, indexBytes, 0);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, indexBytes / 4);
    const pageBytes = new Uint16Array(bytes.buffer, bytes.byteOffset + pageBytesOffset, 1)[0] ?? 0;
    const frames = words[framesWord] ?? 0;
    const frameBytes = frameHeaderBytes + (pageBytes === 1 ? 65_536 : pageBytes);
    const salts = bytes.subarray(saltsOffset, saltsOffset + saltsBytes);
    return { frames, frameBytes, salts, folded: words[foldedWord] ?? 0 };
  }

  function findDamage(): 'cut' | 'overwritten' | undefined {
    const { frames, frameBytes, salts } = readWords();
    if (frames === 0) return undefined;
    const end = logHeaderBytes + frames * frameBytes;
    if (fstatSync(log).size < end) return 'cut';
    readSync(log, header, 0, logHeaderBytes, 0);
    readSync(log, frame, 0, frameHeaderBytes, end - frameBytes);
    const isHeader = header.readUInt32BE(0) >>> 1 === magic && header.subarray(16, 24).equals(salts);
    return isHeader && frame.subarray(8, 16).equals(salts) ? undefined : 'overwritten';
  }

  function voidRest(): boolean {
    try {
      const { frames, frameBytes } = readWords();
      const end = logHeaderBytes + frames * frameBytes;
      if (fstatSync(log).size <= end) return true;
      writeSync(log, Buffer.alloc(frameHeaderBytes), 0, frameHeaderBytes, end);
      fsyncSync(log);
      return true;
    } catch {
      return false;
    }
  }

  function readIndex() {
    const { frames, salts, folded } = readWords();
    return { frames, checkpoint: `${salts.toString('hex')} ${folded}` };
  }

  return { readIndex, findDamage, voidRest };
}

/** Offsets in the index. Its numbers use the machine's byte order, except for the salts. */
const [indexBytes, pageBytesOffset, framesWord, saltsOffset, saltsBytes, foldedWord] = [
  136, 14, 4, 32, 8, 24,
];
const [logHeaderBytes, frameHeaderBytes] = [32, 24];
/** The last bit gives the byte order of the checksums. */
const magic = 0x377f0682 >>> 1;
