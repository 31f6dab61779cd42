import { type Row, toLaneLines, toMessageLines, toRows, toRowTable, toText, toWaiterLines } from './rows.ts';
import { toDuration } from './table.ts';

/**
 * The status for people, in sections: first what they have to act on and read, then the lanes. A long section is
 * folded and names the command that shows the rest. Empty sections are left out, but no lanes at all is shown as
 * `none`.
 */
export function toStatusLines(answer: Row, now: Date): readonly string[] {
  const [meta = {}] = toRows([answer._meta]);
  return [
    toBusLine(meta),
    ...[...sections, ...toOtherSections(answer)].flatMap((section) => toSection(section, answer, meta, now)),
  ];
}

type Section = Readonly<{
  title: string;
  field: string;
  /** Where the bus says how many there are; its list may hold fewer. */
  count: string;
  toLines(rows: readonly Row[], now: Date): readonly string[];
  /** Shows at most this many rows, and names the command that shows the others. Absent: shows all. */
  fold?: Readonly<{ rowsMax: number; command: string }>;
  /** What an empty list says. */
  empty?: string;
}>;

const bodyLinesMax = 3;
const rowsMax = 10;

const sections: readonly Section[] = [
  {
    title: 'Needs a person',
    field: 'pending_action_flags',
    count: 'pending_action_flag_count',
    toLines: toFoldedMessages,
  },
  {
    title: 'Newest messages',
    field: 'recent_messages',
    count: 'message_count',
    toLines: toFoldedMessages,
    fold: { rowsMax, command: 'bus-mcp read' },
  },
  {
    title: 'Waiting',
    field: 'waiting',
    count: 'waiter_count',
    toLines: toWaiterLines,
    fold: { rowsMax, command: 'bus-mcp status --json' },
  },
  {
    title: 'Lanes held',
    field: 'active_lanes',
    count: 'active_lane_count',
    toLines: toLaneLines,
    fold: { rowsMax, command: 'bus-mcp lanes' },
    empty: 'none',
  },
  {
    title: 'Left behind: the lease ran out',
    field: 'orphaned_claims',
    count: 'orphaned_claim_count',
    toLines: toLaneLines,
    fold: { rowsMax, command: 'bus-mcp lanes' },
  },
];

/** A section for each list that has none of its own above. */
function toOtherSections(answer: Row): readonly Section[] {
  const known = sections.map(({ field }) => field);
  return Object.keys(answer)
    .filter((field) => !known.includes(field) && toRows(answer[field]).length > 0)
    .map((field) => ({
      title: toText(field[0]?.toUpperCase() + field.slice(1)).replaceAll('_', ' '),
      field,
      count: `${field.replace(/s$/, '')}_count`,
      toLines: toOtherLines,
      fold: { rowsMax, command: 'bus-mcp status --json' },
    }));
}

function toOtherLines(rows: readonly Row[], now: Date): readonly string[] {
  if (rows.every(({ body }) => body !== undefined)) return toFoldedMessages(rows, now);
  return toRowTable(rows, now, { LANE: ['lane'], OWNER: ['owner'] });
}

function toSection(section: Section, answer: Row, meta: Row, now: Date): readonly string[] {
  const { title, field, fold, empty } = section;
  const rows = toRows(answer[field]);
  const isEmptySaid = empty !== undefined && Array.isArray(answer[field]);
  if (rows.length === 0 && !isEmptySaid) return [];
  const counted = meta[section.count];
  const total = Math.max(rows.length, typeof counted === 'number' ? counted : 0);
  const shown = rows.slice(0, fold?.rowsMax);
  const more = total - shown.length;
  const lines = [
    ...(rows.length === 0 ? [empty ?? ''] : section.toLines(shown, now)),
    ...(more > 0 && fold ? [`… ${more} more: ${fold.command}`] : []),
  ];
  const count = more > 0 ? `${shown.length} of ${total}` : `${total}`;
  return ['', `${title} (${count})`, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function toFoldedMessages(rows: readonly Row[], now: Date): readonly string[] {
  return rows.flatMap((row) => toMessageLines(row, now, bodyLinesMax));
}

function toBusLine(meta: Row): string {
  const facts = [
    meta.version === undefined ? 'bus' : `bus ${toText(meta.version)}`,
    ...(meta.store === undefined ? [] : [toText(meta.store)]),
    ...(typeof meta.uptime_s === 'number' ? [`up ${toDuration(meta.uptime_s)}`] : []),
    ...(meta.message_count === undefined
      ? []
      : [`${toText(meta.message_count)} ${meta.message_count === 1 ? 'message' : 'messages'}`]),
    ...(meta.write_secret_armed === true ? ['writes need the secret'] : []),
    ...(meta.write_secret_armed === false ? ['writes are open'] : []),
  ];
  return facts.join(' · ');
}
