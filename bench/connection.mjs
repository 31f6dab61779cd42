import { connect } from 'node:net';
import { createAnswerReader } from './load.mjs';

/** One kept connection that asks one thing at a time. */
export function openConnection(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let answered = () => {};
    let text = '';
    const read = createAnswerReader(() => {
      answered(text);
      text = '';
    });
    socket.on('data', (chunk) => {
      text += chunk;
      read(chunk);
    });
    socket.once('error', reject);
    socket.once('connect', () =>
      resolve({
        ask: (request) =>
          new Promise((done) => {
            answered = done;
            socket.write(request);
          }),
        close: () => socket.destroy(),
      }),
    );
  });
}
