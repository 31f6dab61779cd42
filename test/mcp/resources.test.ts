import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/contract/contract.ts';
import { BusError, BusUnreachableError } from '../../src/contract/errors.ts';
import { parseUri, toUri } from '../../src/mcp/uris.ts';
import { startMcpHttp } from './http-server.ts';
import { createScriptedBus, toLane } from './scripted-bus.ts';
import { clientKinds, openHttpSession, openSession, type Session } from './sessions.ts';

const sessions: Session[] = [];

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

const ways = clientKinds.flatMap((kind) => [
  { way: `${kind} over stdio`, open: (bus: Bus) => openSession(kind, { bus }) },
  {
    way: `${kind} over HTTP`,
    open: async (bus: Bus) => openHttpSession(kind, (await startMcpHttp(bus)).url, { 'x-bus-agent': 'ada' }),
  },
]);

function toMessage(topic: string, sender = 'ada', body = 'hello') {
  return { id: 1, topic, sender, body, action_flag: false, ts: '2026-08-01T10:00:00.000Z' };
}

describe.each(ways)('$way', ({ open: openWay }) => {
  async function open(script: Parameters<typeof createScriptedBus>[0] = {}) {
    const { bus, calls } = createScriptedBus(script);
    const session = await openWay(bus);
    sessions.push(session);
    return { ask: session.ask, calls };
  }

  async function readJson(ask: Session['ask'], uri: string) {
    const { contents } = await ask('resources/read', { uri });
    expect(contents).toEqual([{ uri, mimeType: 'application/json', text: expect.any(String) }]);
    return JSON.parse(contents[0].text);
  }

  it('lists what can be read, without asking the bus', async () => {
    const { ask, calls } = await open();
    expect((await ask('resources/list')).resources).toMatchObject([{ uri: 'bus://status', name: 'status' }]);
    expect((await ask('resources/templates/list')).resourceTemplates).toMatchObject([
      { uriTemplate: 'bus://lanes/{lane}', name: 'lane' },
      { uriTemplate: 'bus://topics/{topic}', name: 'topic' },
    ]);
    expect(calls).toEqual([]);
  });

  it('reads the status, a lane and a topic', async () => {
    const { ask, calls } = await open({
      getLane: () => ({ state: 'free', fence: 3, lane: { lane: 'docs' }, waiting: [] }),
    });
    expect(await readJson(ask, 'bus://status')).toMatchObject({ _meta: { message_count: 0 } });
    expect(await readJson(ask, 'bus://lanes/docs')).toMatchObject({ state: 'free', fence: 3 });
    expect(await readJson(ask, 'bus://topics/a%2Fb%20%C3%A9')).toMatchObject({ messages: [] });
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ['getBusStatus', {}],
      ['getLane', { lane: 'docs' }],
      ['readMessages', { topic: 'a/b é' }],
    ]);
  });

  it('reads a lane also of a bus that only shows its whole status', async () => {
    const { ask } = await open({
      getLane: () => Promise.reject(new BusError({ status: 404, detail: 'Not Found' })),
      getBusStatus: () => ({ active_lanes: [toLane('docs', 'ada', 60)], orphaned_claims: [] }),
    });
    expect(await readJson(ask, 'bus://lanes/docs')).toMatchObject({ state: 'held', lane: { owner: 'ada' } });
    expect(await readJson(ask, 'bus://lanes/tests')).toEqual({ state: 'free', lane: { lane: 'tests' } });
  });

  it('shows control characters of peers as escapes', async () => {
    const { ask } = await open({
      readMessages: () => ({ messages: [toMessage('t', 'eve', '\u202e\u009b')] }),
    });
    const { contents } = await ask('resources/read', { uri: 'bus://topics/t' });
    expect(contents[0].text).toContain('\\u202e\\u009b');
  });

  it.each(['bus://lanes/', 'bus://lanes/..%2Fetc', 'bus://lanes/a/b', 'bus://nothing', 'file:///etc/passwd'])(
    'is told that there is no %s',
    async (uri) => {
      const { ask, calls } = await open();
      await expect(ask('resources/read', { uri })).rejects.toMatchObject({
        code: -32602,
        data: { uri },
      });
      expect(calls).toEqual([]);
    },
  );

  it('is told that no bus answered, or what the bus refused', async () => {
    const { ask } = await open({
      getBusStatus: () => Promise.reject(new BusUnreachableError('no bus there', 'http://127.0.0.1:1')),
      readMessages: () => Promise.reject(new BusError({ status: 503, detail: 'the disk is full' })),
    });
    await expect(ask('resources/read', { uri: 'bus://status' })).rejects.toMatchObject({
      message: expect.stringContaining('no bus there'),
      data: { type: 'bus_unreachable', url: 'http://127.0.0.1:1' },
    });
    await expect(ask('resources/read', { uri: 'bus://topics/t' })).rejects.toMatchObject({
      message: expect.stringContaining('the disk is full'),
      data: { type: 'bus_api_error', status_code: 503 },
    });
  });

  it('completes lanes, topics and agents by what the bus shows, each once', async () => {
    const { ask } = await open({
      getBusStatus: () => ({
        active_lanes: [toLane('docs', 'ada', 60), toLane('deploy', 'eve', 60)],
        orphaned_claims: [toLane('Data', 'adele', 0)],
        waiting: [{ lane: 'docs', owner: 'bob', since: '', place: 1 }],
        recent_messages: [toMessage('t', 'ada'), toMessage('t', 'anna')],
      }),
      readMessages: () => ({ messages: [toMessage('build'), toMessage('bugs'), toMessage('build')] }),
    });
    const complete = async (ref: object, name: string, value: string) =>
      (await ask('completion/complete', { ref, argument: { name, value } })).completion;
    const lane = { type: 'ref/resource', uri: 'bus://lanes/{lane}' };
    expect(await complete(lane, 'lane', 'd')).toEqual({
      values: ['Data', 'deploy', 'docs'],
      total: 3,
      hasMore: false,
    });
    const topic = { type: 'ref/resource', uri: 'bus://topics/{topic}' };
    expect((await complete(topic, 'topic', 'bu')).values).toEqual(['bugs', 'build']);
    const handoff = { type: 'ref/prompt', name: 'handoff' };
    expect((await complete(handoff, 'lane', 'doc')).values).toEqual(['docs']);
    expect((await complete(handoff, 'to', 'a')).values).toEqual(['ada', 'adele', 'anna']);
    expect((await complete({ type: 'ref/prompt', name: 'other' }, 'to', 'a')).values).toEqual([]);
  });

  it('completes nothing, and fails in nothing, when the bus is away', async () => {
    const { ask } = await open({ getBusStatus: () => Promise.reject(new Error('away')) });
    const ref = { type: 'ref/resource', uri: 'bus://lanes/{lane}' };
    const { completion } = await ask('completion/complete', { ref, argument: { name: 'lane', value: '' } });
    expect(completion).toEqual({ values: [], total: 0, hasMore: false });
  });

  it('gets the prompts, with their arguments filled in', async () => {
    const { ask, calls } = await open();
    const { prompts } = await ask('prompts/list');
    expect(prompts).toMatchObject([
      { name: 'coordinate' },
      { name: 'handoff', arguments: [{ name: 'lane', required: true }, { name: 'to' }] },
    ]);
    const textOf = async (name: string, given?: object) => {
      const { messages } = await ask('prompts/get', { name, ...(given && { arguments: given }) });
      return messages[0].content.text;
    };
    expect(await textOf('coordinate')).toMatch(/claim_lane[\s\S]*never an instruction/);
    expect(await textOf('handoff', { lane: 'docs', to: 'eve' })).toMatch(/lane docs over to "eve"/);
    expect(await textOf('handoff', { lane: 'docs' })).toMatch(/whoever claims it next/);
    expect(calls).toEqual([]);
  });

  it('is told which argument of a prompt is wrong', async () => {
    const { ask } = await open();
    const get = (name: string, given: object) => ask('prompts/get', { name, arguments: given });
    await expect(get('handoff', {})).rejects.toThrow('lane must be letters');
    await expect(get('handoff', { lane: '../etc' })).rejects.toMatchObject({ code: -32602 });
    await expect(get('handoff', { lane: 'a', to: 'x'.repeat(201) })).rejects.toThrow(
      'to must be an agent id',
    );
    await expect(get('nothing', {})).rejects.toMatchObject({ code: -32602 });
  });
});

describe('a URI', () => {
  it.each([
    { kind: 'status' },
    { kind: 'lane', lane: 'a.b:c-d_e' },
    { kind: 'topic', topic: 'a/b?c#d %é"' },
  ] as const)('names %j and nothing else', (resource) => {
    expect(parseUri(toUri(resource))).toEqual(resource);
  });

  it.each(['bus://topics/a:b', 'bus://topics/a%3Ab', 'bus://topics/a%3ab'])('may be spelled %s', (uri) => {
    expect(parseUri(uri)).toEqual({ kind: 'topic', topic: 'a:b' });
  });
});
