/** A longer line is discarded to its end, so that one line cannot take all memory. */
const lineBytesMax = 10 * 1024 * 1024;
const lineFeed = 0x0a;

/** Splits the incoming chunks into lines; blank lines are left out. */
export function createLineReader({
  onLine,
  onTooLong,
}: Readonly<{ onLine: (line: Buffer) => void; onTooLong: (start: Buffer) => void }>): (
  chunk: Buffer,
) => void {
  let parts: Buffer[] = [];
  let length = 0;
  let isTooLong = false;

  function add(part: Buffer): void {
    length += part.length;
    if (length <= lineBytesMax) {
      parts.push(part);
    } else if (!isTooLong) {
      isTooLong = true;
      onTooLong(Buffer.concat(parts).subarray(0, 100));
      parts = [];
    }
  }

  function finish(): void {
    const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const isSkipped = isTooLong || line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
    parts = [];
    length = 0;
    isTooLong = false;
    if (!isSkipped) onLine(line);
  }

  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      finish();
    }
    if (start < chunk.length) add(chunk.subarray(start));
  };
}
