import type { Bus, Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { toCsvHeading, toCsvLine } from './csv.ts';
import { formatVersion, toEventLine, toLaneLine, toMessageLine } from './export-lines.ts';
import type { Progress } from './progress.ts';

export type ExportOptions = Readonly<{
  bus: Pick<Bus, 'readMessages' | 'readEvents' | 'listLanes' | 'getBusStatus'>;
  format: 'jsonl' | 'csv';
  /** Exports only the messages of one topic. Such an export is for reading and cannot be imported. */
  topic?: string | undefined;
  /** Writes text. Resolves once more text can be taken, so that a slow reader slows the export down. */
  write: (text: string) => Promise<void>;
  toJson: (value: object) => string;
  now: Date;
}>;

export type Exported = Readonly<{ messages: number; events: number; lanes: number }>;

type Counts = { messages: number; events: number; lanes: number };

/**
 * Exports the bus as text, page by page, up to where the log ended at the start. Lanes come first, so that any later
 * change of a lane appears among the events.
 */
export async function exportBus(options: ExportOptions, progress: Progress): Promise<Exported> {
  const counts: Counts = { messages: 0, events: 0, lanes: 0 };
  if (options.format === 'csv') await exportCsv(options, counts, progress);
  else await exportLines(options, counts, progress);
  progress.end();
  return counts;
}

async function exportCsv(options: ExportOptions, counts: Counts, progress: Progress): Promise<void> {
  const { _meta } = await options.bus.getBusStatus({});
  await options.write(toCsvHeading());
  for await (const page of readMessages(options, _meta.last_message_id)) {
    await options.write(page.map(toCsvLine).join(''));
    counts.messages += page.length;
    progress.report('exporting messages', counts.messages, totalOf(options, _meta));
  }
}

async function exportLines(options: ExportOptions, counts: Counts, progress: Progress): Promise<void> {
  const { bus, topic, write, now } = options;
  const toLine = (value: object) => `${options.toJson(value)}\n`;
  const lanes = topic === undefined ? await readLanes(bus) : [];
  const { _meta } = await bus.getBusStatus({});
  const { last_message_id, last_event_id, version } = _meta;
  const heading = { format: formatVersion, exported_at: now.toISOString(), version };
  await write(
    toLine({ type: 'export', ...heading, last_message_id, last_event_id, ...(topic && { topic }) }),
  );
  for (const lane of lanes) await write(toLine(toLaneLine(lane)));
  counts.lanes = lanes.length;
  for await (const page of readMessages(options, last_message_id)) {
    await write(page.map((message) => toLine(toMessageLine(message))).join(''));
    counts.messages += page.length;
    progress.report('exporting messages', counts.messages, totalOf(options, _meta));
  }
  if (topic === undefined) {
    let before: number | undefined;
    for await (const page of readEvents(bus, last_event_id)) {
      before ??= (page[0]?.id ?? 1) - 1;
      await write(page.map((event) => toLine(toEventLine(event))).join(''));
      counts.events += page.length;
      progress.report('exporting events', counts.events, last_event_id - before);
    }
  }
  await write(toLine({ type: 'end', ...counts }));
}

type Message = Output<'readMessages'>['messages'][number];
type Event = Output<'readEvents'>['events'][number];
type Lane = Output<'listLanes'>['lanes'][number];

async function* readMessages(
  { bus, topic }: ExportOptions,
  lastId: number,
): AsyncGenerator<readonly Message[]> {
  for (let since_id = 0; ; ) {
    const page = await bus.readMessages({ since_id, topic, limit: limits.pageRowsMax });
    const wanted = page.messages.filter(({ id }) => id <= lastId);
    if (wanted.length > 0) yield wanted;
    if (!page.has_more || wanted.length < page.messages.length) return;
    since_id = page.cursor;
  }
}

async function* readEvents(bus: ExportOptions['bus'], lastId: number): AsyncGenerator<readonly Event[]> {
  for (let since = 0; ; ) {
    const page = await bus.readEvents({ since, limit: limits.pageRowsMax });
    const wanted = page.events.filter(({ id }) => id <= lastId);
    if (wanted.length > 0) yield wanted;
    if (!page.has_more || wanted.length < page.events.length) return;
    since = page.cursor;
  }
}

async function readLanes(bus: ExportOptions['bus']): Promise<readonly Lane[]> {
  const lanes: Lane[] = [];
  for (;;) {
    const page = await bus.listLanes({ after: lanes.at(-1)?.lane, limit: limits.pageRowsMax });
    lanes.push(...page.lanes);
    if (!page.has_more) return lanes;
  }
}

function totalOf({ topic }: ExportOptions, meta: Output<'getBusStatus'>['_meta']): number | undefined {
  return topic === undefined ? meta.message_count : undefined;
}
