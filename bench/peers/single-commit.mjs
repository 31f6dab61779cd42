// The plain way: node:http and SQLite, one durable commit for each write, in the thread that answers.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { DatabaseSync } = loadSqlite();
const database = new DatabaseSync(process.argv[2]);
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE messages (id INTEGER PRIMARY KEY, topic TEXT, sender TEXT, body TEXT, ts INTEGER);
  CREATE TABLE lanes (lane TEXT PRIMARY KEY, owner TEXT, expires_at INTEGER)`);
const insert = database.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?)');
// Named at the end, so that the driver's database is not collected while its statement is in use.
process.once('exit', () => database.close());
const findLane = database.prepare('SELECT owner, expires_at FROM lanes WHERE lane = ?');
const keepLane = database.prepare('INSERT OR REPLACE INTO lanes VALUES (?, ?, ?)');
let lastId = 0;

function post({ topic, sender, body }) {
  lastId += 1;
  insert.run(lastId, topic, sender, body, Date.now());
  return { status: 200, answer: { id: lastId, topic, sender, body, ts: new Date().toISOString() } };
}

function claim(lane, { owner, lease_s }) {
  const held = findLane.get(lane);
  if (held && held.owner !== owner && held.expires_at > Date.now()) {
    return { status: 409, answer: { detail: `lane '${lane}' held by '${held.owner}'` } };
  }
  keepLane.run(lane, owner, Date.now() + lease_s * 1000);
  return { status: 200, answer: { ok: true, decision: 'claim', lane: { lane, owner } } };
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const input = JSON.parse(Buffer.concat(chunks));
    const lane = /^\/api\/bus\/lanes\/([^/]+)\/claim$/.exec(request.url)?.[1];
    const { status, answer } = lane === undefined ? post(input) : claim(lane, input);
    const text = JSON.stringify(answer);
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));

function loadSqlite() {
  try {
    return require('node:sqlite');
  } catch {
    return require('@photostructure/sqlite');
  }
}
