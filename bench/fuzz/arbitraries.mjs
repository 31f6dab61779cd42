// What somebody may send who knows the bus well, a little, or not at all.
import fc from 'fast-check';

const lane = fc.constantFrom('a', 'b', 'feeds', 'x.y:z-1');
const owner = fc.constantFrom('ada', 'bob', 'é', '東京');
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\u0000',
    '\ud800',
    '..',
    '%',
    '__proto__',
    'constructor',
    'x'.repeat(300),
    'é'.repeat(70_000),
  ),
);
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  oddText,
  fc.constantFrom(null, -1, 0, 1e308, -0, 2 ** 53, 0.5, [], {}, [[]], true),
);
const count = fc.oneof(fc.integer({ min: 0, max: 600 }), oddValue);
/** Now and then the longest there may be, so that pages of them are read too. */
const longest = fc.constantFrom('\u0001"'.repeat(32_768), '東'.repeat(65_536));
/** Short, so that a call that waits is no call that hangs. */
const wait = fc.oneof(fc.constantFrom(0, 0.001, 0.01), fc.constantFrom(-1, 'x', null, 301, {}));
const mostly = (usual, odd = oddValue) =>
  fc.oneof({ weight: 6, arbitrary: usual }, { weight: 1, arbitrary: odd });

const fields = {
  topic: mostly(fc.constantFrom('t', 'topic 2', 'é')),
  sender: mostly(owner),
  owner: mostly(owner),
  body: fc.oneof(
    { weight: 60, arbitrary: mostly(fc.string({ maxLength: 60 })) },
    { weight: 1, arbitrary: longest },
  ),
  action_flag: mostly(fc.boolean()),
  lane: mostly(lane),
  fence: mostly(fc.nat(5)),
  lease_s: mostly(fc.integer({ min: 1, max: 5 })),
  wait_s: wait,
  limit: count,
  since_id: count,
  before_id: count,
  since: count,
  after: mostly(lane),
  by: mostly(owner),
  id: mostly(fc.nat(50)),
};
const fieldNames = Object.keys(fields);

/** Some of the fields there are, and now and then one that nobody knows. */
const someFields = (names, required = []) =>
  fc
    .tuple(
      fc.record(Object.fromEntries(names.map((name) => [name, fields[name]])), { requiredKeys: required }),
      fc.option(fc.dictionary(oddText, oddValue, { maxKeys: 2 }), { freq: 8, nil: {} }),
    )
    .map(([known, unknown]) => ({ ...unknown, ...known }));

const toolFields = {
  post_message: ['topic', 'sender', 'body', 'action_flag', 'lane', 'fence'],
  read_messages: ['topic', 'limit', 'since_id', 'before_id', 'wait_s'],
  claim_lane: ['lane', 'owner', 'lease_s', 'wait_s'],
  release_lane: ['lane', 'owner', 'fence'],
  heartbeat_lane: ['lane', 'owner', 'lease_s', 'fence'],
  get_bus_status: [],
};

/** Calls of tools, most of them nearly right. */
export const toolCalls = fc.oneof(
  ...Object.entries(toolFields).map(([name, names]) => ({
    weight: 6,
    arbitrary: fc.record({ name: fc.constant(name), arguments: someFields(names, names.slice(0, 3)) }),
  })),
  ...Object.keys(toolFields).map((name) => ({
    weight: 1,
    arbitrary: fc.record({ name: fc.constant(name), arguments: someFields(fieldNames) }),
  })),
  { weight: 2, arbitrary: fc.record({ name: oddText, arguments: oddValue }) },
  { weight: 1, arbitrary: fc.record({ name: oddValue, arguments: oddValue }, { requiredKeys: [] }) },
);

const paths = [
  ['POST', '/api/bus/message', toolFields.post_message],
  ['GET', '/api/bus/messages', toolFields.read_messages],
  ['POST', '/api/bus/lanes/feeds/claim', ['owner', 'lease_s', 'wait_s']],
  ['POST', '/api/bus/lanes/feeds/release', ['owner', 'fence']],
  ['POST', '/api/bus/lanes/feeds/heartbeat', ['owner', 'lease_s', 'fence']],
  ['GET', '/api/bus/lanes', ['owner', 'limit', 'after']],
  ['GET', '/api/bus/lanes/feeds', []],
  ['GET', '/api/bus/events', ['since', 'limit', 'wait_s']],
  ['POST', '/api/bus/messages/1/ack', ['by']],
  ['GET', '/api/bus/status', []],
  ['GET', '/api/bus/openapi.json', []],
  ['GET', '/healthz', []],
  ['GET', '/metrics', []],
  ['GET', '/', []],
  ['GET', '/identity', []],
];

const oddPath = fc.oneof(
  fc.webPath(),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => `/${text.replace(/[\s\0]/g, '')}`),
  fc.constantFrom(
    '*',
    '//',
    '/api/bus/lanes/%zz/claim',
    '/api/bus/lanes/%2e%2e',
    '/api/bus/../..',
    `/${'a'.repeat(9_000)}`,
  ),
);
const headerText = fc.string({ unit: 'grapheme-ascii', maxLength: 30 });
const oddHeaders = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      'idempotency-key',
      'x-request-id',
      'x-bus-secret',
      'x-bus-agent',
      'authorization',
      'last-event-id',
      'origin',
      'expect',
      'accept',
      'content-type',
      'sec-fetch-site',
      'transfer-encoding',
      'mcp-protocol-version',
    ),
    fc.stringMatching(/^[a-z-]{1,12}$/),
  ),
  fc.oneof(
    headerText,
    fc.constantFrom('x'.repeat(20_000), '100-continue', 'chunked', 'cross-site', 'null', 'é'),
  ),
  { maxKeys: 3 },
);

const wellFormed = fc.constantFrom(...paths).chain(([method, path, names]) => {
  const given = someFields(names, names.slice(0, 2));
  if (method === 'POST') return given.map((body) => ({ method, path, body: JSON.stringify(body) }));
  return given.map((query) => ({ method, path: `${path}?${toQuery(query)}` }));
});
const nearlyFormed = fc.record(
  {
    method: mostly(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'),
      fc.constant('FOO'),
    ),
    path: fc.oneof(fc.constantFrom(...paths.map(([, path]) => path)), oddPath),
    body: fc.oneof(
      fc.json({ maxDepth: 3 }),
      oddText,
      fc.constantFrom('[', '{"a":', 'null', '[[[['.repeat(5_000)),
    ),
    headers: oddHeaders,
  },
  { requiredKeys: ['method', 'path'] },
);
const toMcp = toolCalls.map((params) => ({
  method: 'POST',
  path: '/mcp',
  headers: { accept: 'application/json, text/event-stream' },
  body: toText({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
}));
const modernVersion = '2026-07-28';
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': modernVersion,
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const modernCalls = fc.oneof(
  { weight: 6, arbitrary: toolCalls.map((params) => ['tools/call', params, params.name]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('bus://status', 'bus://lanes/feeds', 'bus://topics/t', 'bus://topics/%zz', 'bus://')
      .map((uri) => ['resources/read', { uri }, uri]),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('server/discover', 'tools/list', 'prompts/list', 'resources/list', 'tools/cal')
      .map((method) => [method, {}]),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(mostly(fc.constantFrom('bus://status', 'bus://lanes/a')), { maxLength: 3 })
      .map((uris) => ['subscriptions/listen', { notifications: { resourceSubscriptions: uris } }]),
  },
);
/** In the era of 2026 a request says in its headers too what it is. */
const toModernMcp = modernCalls.map(([method, params, name]) => ({
  method: 'POST',
  path: '/mcp',
  headers: {
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': modernVersion,
    'mcp-method': method,
    ...(typeof name === 'string' && /^[!-~]{1,200}$/.test(name) && { 'mcp-name': name }),
  },
  body: toText({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: modernMeta } }),
}));
const mcpJunk = fc.jsonValue({ maxDepth: 3 }).map((value) => ({
  method: 'POST',
  path: '/mcp',
  headers: { accept: 'application/json, text/event-stream' },
  body: JSON.stringify(value),
}));

/** Requests: right ones, nearly right ones, and bytes that are none. */
export const rawRequests = fc.oneof(
  { weight: 8, arbitrary: wellFormed.map(toBytes) },
  { weight: 6, arbitrary: nearlyFormed.map(toBytes) },
  { weight: 2, arbitrary: toMcp.map(toBytes) },
  { weight: 2, arbitrary: toModernMcp.map(toBytes) },
  { weight: 1, arbitrary: mcpJunk.map(toBytes) },
  {
    weight: 1,
    arbitrary: fc.tuple(nearlyFormed.map(toBytes), fc.nat(400)).map(([bytes, cut]) => bytes.subarray(0, cut)),
  },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  },
);

/** What of it is no JSON stays away, as with any sender. */
function toText(value) {
  return JSON.stringify(value);
}

function toQuery(query) {
  return Object.entries(query)
    .map(
      ([name, value]) =>
        `${encode(name)}=${encode(typeof value === 'object' ? toText(value) : String(value))}`,
    )
    .join('&');
}

function encode(text) {
  return encodeURIComponent(text.toWellFormed());
}

function toBytes({ method, path, headers = {}, body }) {
  const lines = [`${method} ${path} HTTP/1.1`, 'host: 127.0.0.1'];
  if (body !== undefined) {
    if (!('content-type' in headers)) lines.push('content-type: application/json');
    if (!('transfer-encoding' in headers)) lines.push(`content-length: ${Buffer.byteLength(body)}`);
  }
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8'),
    Buffer.from(body ?? '', 'utf8'),
  ]);
}
