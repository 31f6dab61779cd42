import type { Output } from '../contract/contract.ts';
import { toAge, toDuration } from './duration.ts';
import { toShortName, toVisibleLine } from './visible.ts';

/** The status in a few lines, for whoever asks for the page from a terminal. */
export function toSummary(status: Status): string {
  const now = Date.parse(status._meta.ts);
  const { _meta: meta } = status;
  return [
    toHeading(status),
    ...toSection('Needs a person', meta.pending_action_flag_count, status.pending_action_flags, (message) =>
      toMessageCells(message, now),
    ),
    ...toSection('Lanes held', meta.active_lane_count, status.active_lanes, (lane) =>
      toLaneCells(lane, status.waiting),
    ),
    ...toSection('Left behind', meta.orphaned_claim_count, status.orphaned_claims, (lane) => [
      name(lane.lane),
      name(lane.owner),
      `ran out ${toDuration(-lane.expires_in_s)} ago`,
    ]),
    ...toSection('Newest messages', meta.message_count, status.recent_messages, (message) =>
      toMessageCells(message, now),
    ),
    '',
    'The live page: open this address in a browser. The routes: /api/bus/openapi.json',
    '',
  ].join('\n');
}

type Status = Output<'getBusStatus'>;
type Message = Status['recent_messages'][number];
type Lane = Status['active_lanes'][number];

const rowsMax = 8;

function toHeading({ _meta: meta }: Status): string {
  const secret = meta.write_secret_armed ? 'writes need the secret' : 'writes are open';
  return `bus-mcp ${meta.version} · ${meta.store} · up ${toDuration(meta.uptime_s)} · ${meta.message_count} messages · ${secret}`;
}

function toSection<Row>(
  title: string,
  count: number,
  rows: readonly Row[],
  toCells: (row: Row) => readonly string[],
): string[] {
  if (rows.length === 0) return ['', `${title}: none`];
  const shown = rows.slice(0, rowsMax).map(toCells);
  const widths = shown.reduce<number[]>((all, cells) => cells.map((cell, at) => widest(cell, all[at])), []);
  const lines = shown.map((cells) =>
    cells.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - widest(cell))).join('  '),
  );
  const heading = count > shown.length ? `${title} (${shown.length} of ${count})` : `${title} (${count})`;
  return ['', heading, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function widest(text: string, other = 0): number {
  return Math.max([...text].length, other);
}

function toLaneCells(lane: Lane, waiting: Status['waiting']): string[] {
  const waiters = waiting.filter((waiter) => waiter.lane === lane.lane).length;
  const left = `${toDuration(lane.expires_in_s)} left`;
  return [
    name(lane.lane),
    name(lane.owner),
    left,
    `fence ${lane.fence}`,
    waiters > 0 ? `${waiters} waiting` : '',
  ];
}

function toMessageCells(message: Message, now: number): string[] {
  const age = toAge((now - Date.parse(message.ts)) / 1000);
  return [`#${message.id}`, age, name(message.topic), name(message.sender), toVisibleLine(message.body, 60)];
}

function name(text: string): string {
  return toShortName(text, 32);
}
