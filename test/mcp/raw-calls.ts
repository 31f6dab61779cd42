/** Calls spoken by hand, in both eras. */
const accept = { accept: 'application/json, text/event-stream' };
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
export const eras = [
  { era: 'the era of 2025', headers: { ...accept, 'mcp-protocol-version': '2025-11-25' }, meta: undefined },
  {
    era: 'the era of 2026',
    headers: { ...accept, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call' },
    meta: modernMeta,
  },
];

export function toCall(name: string, given: object, meta?: object) {
  const params = { name, arguments: given, ...(meta && { _meta: meta }) };
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
}
