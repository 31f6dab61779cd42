import { createReadStream } from 'node:fs';

export type TextLine = Readonly<{ number: number; text: string }>;

/** Much more than the longest line a bus exports: a body in which every character is an escape. */
const lineCharactersMax = 1_048_576;

/**
 * Reads a UTF-8 file line by line. Only a line feed ends a line, because other line separators may occur in a text.
 * Skips a byte order mark at the start. Throws a readable sentence for a line that is too long or not text, without
 * reading the rest of it.
 */
export async function* readTextLines(
  path: string,
  reportBytes: (bytes: number) => void = () => {},
): AsyncGenerator<TextLine> {
  const stream = createReadStream(path);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 1;
  let rest = '';

  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode();
    } catch {
      throw new Error(`${toPlace(path, number)} or one soon after it is not UTF-8: nothing was kept`);
    }
  };

  for await (const chunk of stream) {
    reportBytes(stream.bytesRead);
    const parts = decode(chunk).split('\n');
    parts[0] = `${rest}${parts[0]}`;
    rest = parts.pop() ?? '';
    for (const text of parts) {
      yield { number, text };
      number += 1;
    }
    if (rest.length > lineCharactersMax)
      throw new Error(
        `${toPlace(path, number)} has more than ${lineCharactersMax} characters, and no export has such a line: nothing was kept`,
      );
  }
  rest += decode();
  if (rest !== '') yield { number, text: rest };
}

export function toPlace(path: string, lineNumber: number): string {
  return `line ${lineNumber} of ${path}`;
}
