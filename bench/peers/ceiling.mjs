// What node:http itself can do: reads the body, keeps nothing, checks nothing, answers as large as the bus does.
import { createServer } from 'node:http';

const messages = Array.from({ length: 50 }, (_, index) => ({
  id: index + 1,
  topic: 'bench',
  sender: 'bench',
  body: 'hello world',
  action_flag: false,
  ts: new Date().toISOString(),
}));
const posted = JSON.stringify(messages[0]);
const page = JSON.stringify({ messages, cursor: 50, has_more: false });
const news = JSON.stringify({ messages: messages.slice(0, 1), cursor: 1, has_more: false });

function toAnswer({ method, url }) {
  if (method === 'POST') return posted;
  return url.includes('limit=1') ? news : page;
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const text = toAnswer(request);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
