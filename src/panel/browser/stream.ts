import type { BusEvent } from './rows.ts';

/** The bus says at least every 15 seconds that it is there; a stream that is silent for longer than two is dead. */
const silenceMillisecondsMax = 35_000;

/**
 * Reads server-sent events until the stream ends, and hands over those that came together at once.
 *
 * The browser's own EventSource keeps quiet about comments, so it cannot tell a dead connection from an idle one.
 */
export async function followEvents(
  body: ReadableStream<Uint8Array>,
  { onEvents, onHint }: StreamListeners,
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  const parse = createEventParser(onHint);
  let alarm: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      const silence = new Promise<never>((_, reject) => {
        alarm = setTimeout(() => reject(new Error('the stream went silent')), silenceMillisecondsMax);
      });
      const { done, value } = await Promise.race([reader.read(), silence]);
      clearTimeout(alarm);
      if (done) return;
      const events = parse(value);
      if (events.length > 0) onEvents(events);
    }
  } finally {
    clearTimeout(alarm);
    reader.cancel().catch(() => {});
  }
}

export type StreamListeners = Readonly<{
  onEvents: (events: readonly BusEvent[]) => void;
  /** Something changed that is no event: a lease was renewed, or a queue grew or shrank. */
  onHint: () => void;
}>;

/** Takes text as it comes and answers the events that are whole. */
export function createEventParser(onHint: () => void): (text: string) => BusEvent[] {
  let rest = '';
  let data = '';
  return (text) => {
    const events: BusEvent[] = [];
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === ': status-changed') onHint();
      if (line.startsWith('data:')) data += line.slice(5).trimStart();
      if (line !== '' || data === '') continue;
      events.push(JSON.parse(data));
      data = '';
    }
    return events;
  };
}
