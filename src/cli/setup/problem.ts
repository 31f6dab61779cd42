/** A file that cannot be changed in its current state. The message says where, without naming the file. */
export class FileProblem extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FileProblem';
  }
}

/** Where in the text something is, as editors count it. */
export function toLineAndColumn(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
}

/** How the text ends its lines. A single line gives no answer. */
export function toLineEnd(text: string): string {
  return /\r\n|\n/.exec(text)?.[0] ?? '\n';
}
