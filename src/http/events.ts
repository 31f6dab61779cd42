import type { ServerResponse } from 'node:http';
import type { Bus } from '../contract/contract.ts';
import { toBusError } from '../contract/errors.ts';
import { readEvents } from '../contract/events.ts';
import { checkInput, toInvalidInput } from '../contract/input.ts';
import { fromText } from '../contract/text.ts';
import { type FeedPage, type FeedStep, followFeed } from '../feed/follow.ts';
import type { Answers, Exchange, Logger } from './answers.ts';
import type { Bounds } from './bounds.ts';
import type { Serve } from './calls.ts';
import { createHints, type OnQuietChange } from './hints.ts';
import { headerNames, readQuery } from './wire.ts';

export type EventStreamsOptions = Readonly<{
  bus: Bus;
  answers: Answers;
  log: Logger;
  onQuietChange?: OnQuietChange | undefined;
}> &
  Pick<Bounds, 'keepAliveSeconds' | 'stalledReaderSecondsMax' | 'eventStreamsMax'>;

/**
 * The change feed as server-sent events, made of the same pages that every bus offers.
 *
 * It goes on after `Last-Event-ID`, else after `since`, else it begins at the end of the log: only news. It says at
 * once where it begins, so that a reader cut off before the first event resumes there too. After an event that the log
 * has never had it starts over: such a reader comes from another log, and has read nothing of this one. What changes and
 * is no event it only hints at.
 */
export function createEventStreams(options: EventStreamsOptions) {
  const { bus, answers, log, keepAliveSeconds, stalledReaderSecondsMax, eventStreamsMax } = options;
  const open = new Set<AbortController>();
  const hints = createHints(options.onQuietChange);
  const toPieces = createPieces();

  async function run(exchange: Exchange, query: string): Promise<void> {
    const { request, response } = exchange;
    if (open.size >= eventStreamsMax) return answers.refuse(exchange, toTooMany(eventStreamsMax));
    const controller = new AbortController();
    open.add(controller);
    response.once('close', () => controller.abort());
    const leave = hints.join(() => writeHint(response));
    try {
      await stream(exchange, readStart(query, request.headers['last-event-id']), controller.signal);
    } catch (error) {
      if (!response.headersSent) answers.refuse(exchange, error);
      else if (!controller.signal.aborted)
        log.warn({ requestId: exchange.id, err: error }, 'an event stream broke off');
    } finally {
      leave();
      open.delete(controller);
      if (response.headersSent) response.end();
    }
  }

  async function stream(exchange: Exchange, { since, limit }: Start, signal: AbortSignal): Promise<void> {
    const write = createWriter({ exchange, signal, stalledReaderSecondsMax, log });
    const start = since ?? (await bus.getBusStatus({}, { signal }))._meta.last_event_id;
    let rows = Math.min(limit, rowsAtFirst);
    const feed = followFeed({
      bus,
      since: start,
      limit: () => rows,
      waitSeconds: keepAliveSeconds,
      signal,
    });
    for await (const step of feed) {
      const { page } = step;
      // The first page does not wait: a refusal can still be an ordinary answer, and the headers go out at once.
      if (!exchange.response.headersSent) {
        exchange.response.writeHead(200, [...streamHeaders, headerNames.requestId, exchange.id]);
        answers.measure(exchange, 200);
        await write(`retry: 1000\n${toBeginning(step)}\n\n`);
      } else if (page.events.length === 0) {
        await write(step.isOfAnotherLog ? `${toBeginning(step)}\n\n` : ': keep-alive\n\n');
      }
      let bytes = 0;
      for (const piece of toPieces(page)) {
        await write(piece);
        bytes += piece.length;
      }
      rows = bytes > charactersAtOnce ? Math.ceil(rows / 2) : Math.min(limit, rows * 2);
    }
  }

  const serve: Serve = (exchange, { query }) => void run(exchange, query);
  return {
    serve,
    count: () => open.size,
    close(): void {
      for (const controller of open) controller.abort();
    },
  };
}

/** A comment, which event readers ignore. A reader that is behind does not need it. */
function writeHint(response: ServerResponse): void {
  if (response.headersSent && !response.writableNeedDrain) response.write(': status-changed\n\n');
}

type Start = Readonly<{ since: number | undefined; limit: number }>;

const streamHeaders = [
  'content-type',
  'text/event-stream; charset=utf-8',
  'cache-control',
  'no-store',
  'x-accel-buffering',
  'no',
  'x-content-type-options',
  'nosniff',
];

const streamInput = readEvents.input.pick({ since: true, limit: true });

function readStart(query: string, lastEventId: string | string[] | undefined): Start {
  const input = fromText(streamInput, readQuery(query));
  const result = checkInput({ input: streamInput }, input);
  if ('issues' in result) throw toInvalidInput(result.issues);
  const { since, limit } = result.value as { since: number; limit: number };
  if (lastEventId === undefined) return { since: 'since' in input ? since : undefined, limit };
  if (!/^\d{1,15}$/.test(String(lastEventId))) {
    throw toInvalidInput([{ field: 'last-event-id', message: 'must be the id of an event' }]);
  }
  return { since: Number(lastEventId), limit };
}

function toBeginning({ since, page, isOfAnotherLog }: FeedStep): string {
  if (!isOfAnotherLog) return `id: ${since}`;
  return `: there is no event ${since} here, this log is another one: from its beginning\nid: ${page.cursor}`;
}

/** Streams at the same position receive the same page, so it is serialised once for all of them. */
function createPieces(): (page: FeedPage) => readonly Buffer[] {
  const known = new WeakMap<FeedPage, readonly Buffer[]>();
  return (page) => {
    const pieces = known.get(page) ?? Array.from(toTexts(page.events), (text) => Buffer.from(text));
    known.set(page, pieces);
    return pieces;
  };
}

/** The events in pieces of limited size, so that a page of long messages does not become one long text. */
function* toTexts(events: FeedPage['events']): Generator<string> {
  let text = '';
  for (const event of events) {
    text += `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
    if (text.length < charactersAtOnce) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

const charactersAtOnce = 65_536;
/** A page stays in memory until its reader has taken it, so pages with long messages are kept short. */
const rowsAtFirst = 8;

function toTooMany(limit: number) {
  const detail = `${limit} event streams are open already, as many as the bus takes: read GET /events with wait_s, or open one again in 5 s`;
  return toBusError('too_many', detail, { limit, retry_after_s: 5 });
}

type WriterOptions = Pick<EventStreamsOptions, 'log' | 'stalledReaderSecondsMax'> &
  Readonly<{ exchange: Exchange; signal: AbortSignal }>;

/** Writes, and waits until the reader has taken it, so that unread data of a slow reader never piles up. */
function createWriter({ exchange, signal, stalledReaderSecondsMax, log }: WriterOptions) {
  const { request, response, id } = exchange;
  return (text: string | Buffer): Promise<void> | undefined => {
    signal.throwIfAborted();
    if (response.write(text)) return undefined;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        log.warn({ requestId: id }, 'an event stream was cut off: its reader takes nothing');
        request.socket.destroy();
      }, stalledReaderSecondsMax * 1000);
      const settle = (finish: () => void) => () => {
        clearTimeout(timer);
        response.off('drain', onDrain);
        signal.removeEventListener('abort', onAbort);
        finish();
      };
      const onDrain = settle(resolve);
      const onAbort = settle(() => reject(signal.reason));
      response.on('drain', onDrain);
      signal.addEventListener('abort', onAbort);
    });
  };
}
