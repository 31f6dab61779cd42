import { get } from 'node:http';

/**
 * What was at the address: an HTTP status, perhaps with a JSON object; no response in time; nothing that listens; or
 * something other than HTTP.
 */
export type Heard =
  | Readonly<{ heard: 'answer'; status: number; value: Readonly<Record<string, unknown>> | undefined }>
  | Readonly<{ heard: 'nothing' | 'nobody' | 'noise' }>;

const bytesMax = 4_194_304;

/** Sends one request on its own connection. Never rejects. */
export function ask(url: URL, timeoutMilliseconds: number): Promise<Heard> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end({ heard: 'nothing' }), timeoutMilliseconds);
    const end = (heard: Heard) => {
      clearTimeout(timer);
      resolve(heard);
      request.destroy();
    };
    const request = get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > bytesMax) end({ heard: 'noise' });
      });
      response.on('error', () => end({ heard: 'noise' }));
      response.on('end', () =>
        end({ heard: 'answer', status: response.statusCode ?? 0, value: toObject(text) }),
      );
    });
    request.on('error', ({ code }: NodeJS.ErrnoException) =>
      end({ heard: code === 'ECONNREFUSED' ? 'nobody' : 'noise' }),
    );
  });
}

function toObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
