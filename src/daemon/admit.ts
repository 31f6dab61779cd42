import { randomUUID } from 'node:crypto';
import { type Admit, strangerCode } from '../http/send.ts';
import { identityPath, isProof } from './identity.ts';

const timeoutMilliseconds = 10_000;
const bytesMax = 65_536;

/**
 * Makes every new connection prove that the bus with this token is at the other end, before any request uses it. The
 * proof holds for that connection only, so no other program can take the bus's place afterwards.
 */
export function createAdmit(token: string): Admit {
  return (socket) =>
    new Promise((resolve, reject) => {
      const challenge = randomUUID();
      let text = '';
      const read = (part: Buffer) => {
        text += part.toString('latin1');
        const proof = readProof(text);
        if (proof === undefined && text.length < bytesMax) return;
        finish(() => (isProof(proof, token, challenge) ? resolve() : reject(toStranger())));
      };
      const fail = (error: Error) => finish(() => reject(error));
      // Nothing was sent yet, so a connection that breaks here interrupted no call. Report it as refused.
      const close = () => fail(toStranger());
      const onError = (error: NodeJS.ErrnoException) =>
        fail(error.code === 'ECONNREFUSED' ? error : toStranger());
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        socket.off('data', read).off('error', onError).off('close', close);
        settle();
      };
      const timer = setTimeout(() => fail(new Error('the bus did not respond in time')), timeoutMilliseconds);
      socket.on('data', read).on('error', onError).on('close', close);
      socket.write(`GET ${identityPath}?challenge=${challenge} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    });
}

/**
 * The proof in the response, once the response is complete. It arrives in one chunk, with or without a length in
 * front.
 */
function readProof(text: string): string | undefined {
  const start = text.indexOf('\r\n\r\n') + 4;
  if (start < 4) return undefined;
  const length = /^content-length: (\d+)\r$/im.exec(text.slice(0, start))?.[1];
  const isWhole =
    length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length >= start + Number(length);
  return isWhole ? (/"proof":"([0-9a-f]+)"/.exec(text.slice(start))?.[1] ?? '') : undefined;
}

function toStranger(): Error {
  return Object.assign(new Error('what listens there is not the bus that was found'), { code: strangerCode });
}
