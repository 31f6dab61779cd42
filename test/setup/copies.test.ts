import { describe, expect, it } from 'vitest';
import { createHome } from './folder.ts';

describe('a file that is changed several times', () => {
  it('stays as it was before the first change in a copy that no later change touches', async () => {
    const { list, read, setup, write } = createHome();
    const [copy, lastCopy] = ['.cursor/mcp.json.bus-mcp.bak', '.cursor/mcp.json.bus-mcp.last.bak'];
    write('.cursor/mcp.json', '{ "mine": 1 }\n');
    await setup('cursor');
    const added = read('.cursor/mcp.json');
    const { output } = await setup('cursor', ['--agent-id', 'ada']);
    expect([read(copy), read(lastCopy)]).toEqual(['{ "mine": 1 }\n', added]);
    expect(output).toContain(lastCopy);
    await setup('cursor', ['--remove']);
    expect([read('.cursor/mcp.json'), read(copy)]).toEqual(Array(2).fill('{ "mine": 1 }\n'));
    write('.cursor/mcp.json', '{ "mine": 2, "mcpServers": {} }\n');
    await setup('cursor');
    await setup('cursor', ['--remove']);
    expect(read('.cursor/mcp.json')).toBe('{ "mine": 2, "mcpServers": {} }\n');
    expect(read(copy)).toBe('{ "mine": 1 }\n');
    expect(list('.cursor')).toHaveLength(3);
  });

  it('is copied once when it is the same again', async () => {
    const { list, setup, write } = createHome();
    write('.cursor/mcp.json', '{ "mine": 1 }\n');
    await setup('cursor');
    write('.cursor/mcp.json', '{ "mine": 1 }\n');
    const { output } = await setup('cursor');
    expect(output).toContain('.cursor/mcp.json.bus-mcp.bak');
    expect(list('.cursor')).toEqual(['mcp.json', 'mcp.json.bus-mcp.bak']);
  });
});
