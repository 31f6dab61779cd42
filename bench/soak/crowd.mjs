// Thousands of connections, each of which asks again as soon as it was answered, whatever the answer was.
import { connect } from 'node:net';

const opensAtOnce = 200;
const fillers = ['x'.repeat(50), 'y'.repeat(1_000), 'z'.repeat(20_000)];

export async function createCrowd({ port, size, waiterCount }) {
  const accepted = new Map();
  const faults = [];
  const counts = new Map();
  const sockets = new Set();
  let isOver = false;

  function join(number) {
    return new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const member = number < waiterCount ? createWaiter(number) : createPoster(number);
      let sent;
      const send = () => {
        if (isOver) return;
        sent = member.next();
        socket.write(sent.bytes);
      };
      const read = createReader((status, text) => {
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (status === 200 && sent.body !== undefined) accepted.set(JSON.parse(text).id, sent.body);
        else if (status === 503 || status === 429) checkRefusal(text, status);
        else if (status !== 200 && status !== 409) faults.push(`status ${status}: ${text.slice(0, 200)}`);
        send();
      });
      sockets.add(socket);
      socket.on('connect', () => {
        resolve();
        send();
      });
      socket.on('data', read);
      socket.on('error', resolve);
      socket.on('close', () => {
        sockets.delete(socket);
        resolve();
        // Only a refused connection is closed by the bus.
        if (!isOver) join(number);
      });
    });
  }

  function checkRefusal(text, status) {
    const { code, data } = JSON.parse(text);
    const isRight = code === (status === 503 ? 'unavailable' : 'too_many') && data.retry_after_s > 0;
    if (!isRight) faults.push(`a refusal without what it must say: ${text}`);
  }

  for (let number = 0; number < size; number += opensAtOnce) {
    const group = Array.from({ length: Math.min(opensAtOnce, size - number) }, (_, index) =>
      join(number + index),
    );
    await Promise.all(group);
  }

  const refused = () => (counts.get(503) ?? 0) + (counts.get(429) ?? 0);
  return {
    accepted: () => accepted,
    refused,
    faults: () => faults,
    tell: () => `${accepted.size.toLocaleString('en')} accepted, ${refused().toLocaleString('en')} refused`,
    leave() {
      isOver = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

function createPoster(number) {
  let count = 0;
  return {
    next() {
      count += 1;
      const body = `${number}/${count} ${fillers[(number + count) % 50 === 0 ? 2 : count % 2]}`;
      return { body, bytes: toBytes('/message', { topic: 'crowd', sender: `member-${number}`, body }) };
    },
  };
}

/** Stands in the line for a lane that somebody holds. */
function createWaiter(number) {
  const claim = { owner: `waiter-${number % 10}`, wait_s: 1, lease_s: 5 };
  return { next: () => ({ bytes: toBytes(`/lanes/lane-${number % 20}/claim`, claim) }) };
}

function toBytes(path, body) {
  const text = JSON.stringify(body);
  const head = `POST /api/bus${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n`;
  return `${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Calls back with each whole answer. */
function createReader(onAnswer) {
  let text = '';
  return (chunk) => {
    text += chunk.latin1Slice();
    for (;;) {
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1]);
      if (text.length < end + 4 + length) return;
      const body = text.slice(end + 4, end + 4 + length);
      const status = Number(text.slice(9, 12));
      text = text.slice(end + 4 + length);
      onAnswer(status, body);
    }
  };
}
