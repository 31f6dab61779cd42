import { describe, expect, test } from 'vitest';
import { createScriptedBus, post, startServer } from './fixtures.ts';

const message = { topic: 't', sender: 's', body: 'b' };
const body = JSON.stringify(message);

describe('the JSON of a request', () => {
  test('names the depth and the key that it refuses, and reads keys and brackets in texts as text', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const detailOf = async (text: string) => (await post(port, '/api/bus/message', text)).json.detail;
    const nested = `{"topic":${'['.repeat(64)}${']'.repeat(64)}}`;
    expect(await detailOf(nested)).toBe('invalid input: input is nested deeper than 64 levels');
    expect(await detailOf('{"a":1,"a":2}')).toBe('invalid input: input gives the key "a" more than once');
    const brackets = JSON.stringify({ ...message, body: '\\"[{'.repeat(1_000), topic: '"body":' });
    expect((await post(port, '/api/bus/message', brackets)).status).toBe(200);
    const siblings = JSON.stringify({ body: Array.from({ length: 500 }, () => [{ a: [{}] }]) });
    expect(await detailOf(siblings)).not.toContain('nested');
  });

  test('proposes a name for a lane whose slashes were not encoded', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    const answer = await post(port, '/api/bus/lanes/feature/login/claim', { owner: 'ada' });
    expect([answer.status, answer.json.code]).toEqual([404, 'not_found']);
    expect(answer.json.detail).toContain("try 'feature-login'");
  });

  test('skips a byte order mark before the body', async () => {
    const { port } = await startServer({ bus: createScriptedBus() });
    expect((await post(port, '/api/bus/message', `\ufeff${body}`)).status).toBe(200);
  });
});
