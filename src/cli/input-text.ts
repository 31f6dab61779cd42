import { withoutByteOrderMark } from '../contract/byte-order-mark.ts';
import { limits } from '../contract/limits.ts';
import { UsageError } from './config.ts';

/** All of the input as text, without the byte order mark and the last line break that editors and `echo` add. */
export async function readInputText(input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += part.length;
    if (bytes > limits.requestBytesMax) {
      throw new UsageError(`the input has more than ${limits.requestBytesMax} bytes: send less`);
    }
    chunks.push(part);
  }
  return withoutByteOrderMark(decodeInput(Buffer.concat(chunks))).replace(/\r?\n$/, '');
}

function decodeInput(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError('the input is not UTF-8 text: convert it and send it again');
  }
}
