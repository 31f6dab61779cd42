import { createReadStream } from 'node:fs';

export type TextLine = Readonly<{ number: number; text: string }>;

/** Far more than the longest line that a bus exports: a body with every character written as an escape. */
const lineCharactersMax = 1_048_576;

/**
 * Reads a file of UTF-8 line by line. Lines end with a line feed, and nowhere else: what else may end lines can be part
 * of a text. A byte order mark at the beginning is skipped. Throws a sentence for people at a line that is too long or
 * is no text, without having read the rest of it.
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
