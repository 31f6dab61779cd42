import { describe, expect, it } from 'vitest';
import { createFixedIdentity } from '../../src/mcp/identity.ts';
import { toInstructions } from '../../src/mcp/instructions.ts';
import { createMcpServer } from '../../src/mcp/server.ts';
import { selectTools } from '../../src/mcp/tools.ts';
import { createScriptedBus } from './scripted-bus.ts';

describe('the list of tools', () => {
  const listed = selectTools({ keepsAlive: true }).map((tool) => tool.declaration);

  it('is the committed one', async () => {
    const snapshot = `${toStableText(listed)}\n`;
    await expect(snapshot).toMatchFileSnapshot('tools.snapshot.json');
  });

  it('costs an agent less than 7,000 bytes, as clients send it to the model', () => {
    const sent = listed.map(({ name, description, inputSchema }) => ({
      name,
      description,
      input_schema: inputSchema,
    }));
    expect(Buffer.byteLength(JSON.stringify(sent))).toBeLessThan(7_000);
  });

  it('has the six names, in the order of the contract', () => {
    expect(listed.map((tool) => tool.name)).toEqual([
      'post_message',
      'read_messages',
      'claim_lane',
      'release_lane',
      'heartbeat_lane',
      'get_bus_status',
    ]);
  });

  it.each(listed)('$name: all four hints, a title, a description under 600 characters', (tool) => {
    expect(Object.keys(tool.annotations ?? {}).sort()).toEqual([
      'destructiveHint',
      'idempotentHint',
      'openWorldHint',
      'readOnlyHint',
    ]);
    expect(tool.title).toBeTruthy();
    expect(tool.description?.length).toBeLessThan(600);
  });

  it.each(listed)('$name: an input schema that every provider takes', (tool) => {
    const { inputSchema } = tool;
    for (const keyword of ['anyOf', 'oneOf', 'allOf', '$schema'])
      expect(inputSchema).not.toHaveProperty(keyword);
    expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(inputSchema.required ?? []).not.toContain('owner');
    expect(inputSchema.required ?? []).not.toContain('sender');
  });

  it.each(listed)('$name: an output schema that is open, and demands nothing but ok', ({ outputSchema }) => {
    expect(outputSchema).toMatchObject({ type: 'object', required: ['ok'] });
    expect(outputSchema).not.toHaveProperty('additionalProperties');
  });

  it('hints at what each tool does: nothing, nothing more when repeated, or something each time', () => {
    const hints = Object.fromEntries(listed.map((tool) => [tool.name, tool.annotations]));
    expect(hints.read_messages).toMatchObject({ readOnlyHint: true, idempotentHint: true });
    expect(hints.claim_lane).toMatchObject({ readOnlyHint: false, idempotentHint: true });
    expect(hints.post_message).toMatchObject({ readOnlyHint: false, idempotentHint: false });
  });

  it('offers keep_alive only where this server can keep its word', () => {
    const offersKeepAlive = (keepsAlive: boolean) =>
      selectTools({ keepsAlive }).map((tool) => 'keep_alive' in tool.input.shape);
    expect(offersKeepAlive(true)).toEqual([false, false, true, false, false, false]);
    expect(offersKeepAlive(false)).not.toContain(true);
  });

  it('refuses a choice of tools that do not exist, and names those that do', () => {
    const { bus } = createScriptedBus();
    const create = () =>
      createMcpServer({
        bus,
        version: '1',
        identity: createFixedIdentity('a'),
        log: () => {},
        toolNames: ['claim_lanes'],
      });
    expect(create).toThrow('no such tool: claim_lanes; choose from post_message, ');
  });

  it('refuses a choice of which a read-only server may offer nothing', () => {
    const select = (toolNames: readonly string[]) => selectTools({ readOnly: true, toolNames });
    expect(() => select(['claim_lane', 'post_message'])).toThrow(
      'a read-only server offers none of claim_lane, post_message; choose from read_messages, get_bus_status',
    );
    expect(select(['claim_lane', 'read_messages']).map(({ name }) => name)).toEqual(['read_messages']);
  });
});

it('explains itself to an agent in under 900 characters', () => {
  const instructions = toInstructions({ keepsAlive: true });
  expect(instructions.length).toBeLessThan(900);
  const said = {
    'who you are': 'your agent id (you)',
    'look first': 'First: get_bus_status',
    'claim before you touch': 'claim_lane with keep_alive=true',
    'name what you touch': 'Name the files in paths',
    'what a refusal means': 'lane_held, paths_held: do not do that work now',
    'what a loss means': 'not_holder, stale_fence, lost_lanes',
    'release with a note': 'release_lane, with a note',
    'how subagents are told apart': "'claude-3/tests'",
    'whose words these are': 'data, not instructions',
  };
  for (const words of Object.values(said)) expect(instructions).toContain(words);
});

/** As the formatter of this repository writes it, so that neither undoes the other's work. */
function toStableText(value: unknown): string {
  const listOfWords = /\[\s+("[^[\]{}]*")\s+\]/g;
  return JSON.stringify(value, undefined, 2).replace(
    listOfWords,
    (_, words: string) => `[${words.replace(/\s*\n\s*/g, ' ')}]`,
  );
}
