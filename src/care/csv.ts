import type { Output } from '../contract/contract.ts';

type Message = Output<'readMessages'>['messages'][number];

const columns = [
  'id',
  'ts',
  'topic',
  'sender',
  'action_flag',
  'acknowledged_by',
  'acknowledged_at',
  'body',
] as const;

export function toCsvHeading(): string {
  return `${columns.join(',')}\r\n`;
}

/** A message as a row for a spreadsheet. */
export function toCsvLine(message: Message): string {
  return `${columns.map((column) => toCell(message[column])).join(',')}\r\n`;
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? disarm(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What agents write must not run as a formula in the spreadsheet of whoever opens it. */
function disarm(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
