// The plain way: node:http and SQLite, one durable commit for each message, in the thread that answers.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { DatabaseSync } = loadSqlite();
const database = new DatabaseSync(process.argv[2]);
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE messages (id INTEGER PRIMARY KEY, topic TEXT, sender TEXT, body TEXT, ts INTEGER)`);
const insert = database.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?)');
// Named at the end, so that the driver's database is not collected while its statement is in use.
process.once('exit', () => database.close());
let lastId = 0;

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { topic, sender, body } = JSON.parse(Buffer.concat(chunks));
    lastId += 1;
    insert.run(lastId, topic, sender, body, Date.now());
    const text = JSON.stringify({ id: lastId, topic, sender, body, ts: new Date().toISOString() });
    response.writeHead(200, {
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
