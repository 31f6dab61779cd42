export const byteOrderMark = '\ufeff';

/**
 * Programs on Windows put this mark before what they write. It is no part of the text, and no parser takes it: whoever
 * reads a text that came from outside (a file, standard input, a body) asks here first.
 */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
}
