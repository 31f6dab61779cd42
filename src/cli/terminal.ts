import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { getSystemErrorMap } from 'node:util';
import { toVisible } from './visible.ts';

/** What the command line writes to: two streams, one for answers and one for remarks. */
export type Terminal = Readonly<{
  /** A line of the answer; resolves once it was handed on. Never rejects: see `closed`. */
  print(line: string): Promise<void>;
  /** A remark for people, beside the answer. Control characters in it are shown, not executed. */
  remark(sentence: string): void;
  /** A remark that the answer needs, like the id under which something was done: without it the command has failed. */
  tell(sentence: string): void;
  /** Resolves once everything was handed on, so that the process may end. */
  flush(): Promise<void>;
  /** Ends when no more of the answer can be written: because nobody reads it, as after `| head -1`, or because it fails. */
  closed: AbortSignal;
  /** Whether something that was to be read could not be written. A reader who went away is no failure. */
  hasFailed(): boolean;
}>;

export function createTerminal(
  streams: Readonly<{ output: NodeJS.WritableStream; errorOutput: NodeJS.WritableStream }>,
): Terminal {
  const { output, errorOutput } = streams;
  const end = new AbortController();
  let isFailed = false;
  let handedOn: Promise<unknown> = Promise.resolve();
  // Without a listener a write to a closed pipe would end the process with a stack trace. The error may come after
  // the last write was answered, so the listeners stay.
  output.on('error', close);
  errorOutput.on('error', () => {});
  return {
    print: (line) => (end.signal.aborted ? Promise.resolve() : write(output, `${line}\n`, close)),
    remark: (sentence) => void write(errorOutput, toRemark(sentence), () => {}),
    tell(sentence) {
      void write(errorOutput, toRemark(sentence), (error) => {
        isFailed ||= !isReaderGone(error);
      });
    },
    flush: async () => void (await handedOn),
    closed: end.signal,
    hasFailed: () => isFailed,
  };

  function write(
    stream: NodeJS.WritableStream,
    text: string,
    onError: (error: Error) => void,
  ): Promise<void> {
    const written = new Promise<void>((resolve) => {
      stream.write(text, (error) => {
        if (error) onError(error);
        resolve();
      });
    });
    handedOn = Promise.all([handedOn, written]);
    return written;
  }

  /** The first error counts: each later write to a stream that broke fails for that reason alone. */
  function close(error: Error): void {
    if (end.signal.aborted) return;
    end.abort();
    if (isReaderGone(error)) return;
    isFailed = true;
    void write(errorOutput, toRemark(toWriteSentence(error)), () => {});
  }
}

/**
 * The stream, or one that takes its place where it writes to a file: Node.js takes a write that found room for the first
 * half for a whole one, and the end of the answer would be missing without a word.
 */
export function toWholeWriter(
  stream: NodeJS.WritableStream & Readonly<{ fd: number }>,
): NodeJS.WritableStream {
  if (!fstatSync(stream.fd).isFile()) return stream;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        for (let at = 0; at < chunk.length; ) at += writeSync(stream.fd, chunk, at);
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function isReaderGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ECONNRESET';
}

function toWriteSentence({ code = 'unknown', errno, message }: NodeJS.ErrnoException): string {
  const [, reason] = getSystemErrorMap().get(errno ?? 0) ?? [code, message];
  return `the answer could not be written to standard output, so what is there is not whole: ${reason} (${code})`;
}

function toRemark(sentence: string): string {
  return `${toVisible(sentence, { keepLines: true })}\n`;
}
