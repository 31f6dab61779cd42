import type { BusEvent, EventPage, LanePage, Message, MessagePage, Status } from './rows.ts';

/** The bus answered, and the answer was no. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.name = 'RefusedError';
    this.status = status;
  }
}

/** No bus answered, or it said that it cannot serve now. */
export class AwayError extends Error {
  /** What was asked for may have been done all the same. */
  readonly isInDoubt: boolean;

  constructor(detail: string, isInDoubt = true) {
    super(detail);
    this.name = 'AwayError';
    this.isInDoubt = isInDoubt;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** What makes a write this one and no other: with the same key it is done once, however often it is asked for. */
export type Permit = Readonly<{ key: string; secret: string | undefined }>;

export type Api = ReturnType<typeof createApi>;

/** The routes of the bus that the page uses. */
export function createApi(base: URL) {
  async function read<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    const limit = AbortSignal.timeout(answerMillisecondsMax);
    return toJson(
      await ask(toUrl(path, query), { signal: signal ? AbortSignal.any([signal, limit]) : limit }),
    );
  }

  async function write<Answer>(path: string, body: object, { key, secret }: Permit): Promise<Answer> {
    const headers: Record<string, string> = { 'content-type': 'application/json', 'idempotency-key': key };
    if (secret !== undefined) headers['x-bus-secret'] = toHeaderText(secret);
    const signal = AbortSignal.timeout(answerMillisecondsMax);
    return toJson(
      await ask(toUrl(path, {}), { method: 'POST', headers, body: JSON.stringify(body), signal }),
    );
  }

  function toUrl(path: string, query: Query): URL {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  return {
    getStatus: (signal?: AbortSignal) => read<Status>('status', {}, signal),
    listLanes: (query: Query) => read<LanePage>('lanes', query),
    readMessages: (query: Query) => read<MessagePage>('messages', query),
    readEvents: (query: Query) => read<EventPage>('events', query),
    async openEvents(since: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      const headers = { accept: 'text/event-stream', 'last-event-id': String(since) };
      const response = await ask(toUrl('events', {}), { headers, signal });
      if (!response.body) throw new AwayError('the bus sent no stream');
      return response.body;
    },
    acknowledge: (id: number, by: string, permit: Permit) =>
      write<Message>(`messages/${id}/ack`, { by }, permit),
    release: (lane: string, body: Readonly<{ owner: string; fence: number }>, permit: Permit) =>
      write<BusEvent>(`lanes/${encodeURIComponent(lane)}/release`, body, permit),
  };
}

/** A bus that has taken a request and says nothing for so long is as good as gone. */
const answerMillisecondsMax = 10_000;

async function ask(url: URL, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-store', credentials: 'same-origin', ...init });
  } catch {
    throw new AwayError('The bus does not answer.');
  }
  if (response.ok) return response;
  const detail = await readDetail(response);
  // With this status the bus says that nothing was kept; with others, what stands in front of it may have lost it.
  if (response.status >= 500)
    throw new AwayError(`The bus cannot serve now: ${detail}`, response.status !== 503);
  throw new RefusedError(response.status, detail);
}

async function readDetail(response: Response): Promise<string> {
  try {
    const { detail } = await response.json();
    if (typeof detail === 'string') return detail;
  } catch {
    // What stands in front of the bus may answer with something else than JSON.
  }
  return `it answered with status ${response.status}`;
}

async function toJson<Answer>(response: Response): Promise<Answer> {
  try {
    return await response.json();
  } catch {
    throw new AwayError('The bus broke off in the middle of an answer.');
  }
}

/** Headers carry bytes; written this way they are the bytes of the secret in UTF-8, whatever is in it. */
function toHeaderText(secret: string): string {
  return String.fromCharCode(...new TextEncoder().encode(secret));
}
