import type { Output } from '../contract/contract.ts';
import { shownFieldsOf } from '../store/shown.ts';

type Message = Output<'readMessages'>['messages'][number];

/** The fields that identify a message come first, the long one comes last. */
const ends = ['id', 'ts', 'body'];
const names = shownFieldsOf('messages').map(({ name }) => name);
const columns = ['id', 'ts', ...names.filter((name) => !ends.includes(name)), 'body'];

export function toCsvHeading(): string {
  return `${columns.join(',')}\r\n`;
}

/** A message as a row for a spreadsheet. */
export function toCsvLine(message: Message): string {
  return `${columns.map((column) => toCell(message[column])).join(',')}\r\n`;
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? disarm(value) : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A spreadsheet must not run what agents wrote as a formula. */
function disarm(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
