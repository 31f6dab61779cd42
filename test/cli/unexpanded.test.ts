import { describe, expect, it } from 'vitest';
import { type Flags, readConfig } from '../../src/cli/config.ts';
import { settingEntries } from '../../src/cli/settings.ts';

const read = (environment: NodeJS.ProcessEnv, flags: Flags = {}) => readConfig({ environment, flags });

describe('a variable that the client did not fill in', () => {
  it.each([
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a client that does not fill in variables passes just this
    '${AGENT}',
    '$AGENT',
    '%AGENT%',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the same within a name
    'claude-${USER}',
    'claude-$USER',
  ])('is refused as an agent id, by the name of the setting: %s', (text) => {
    const words = 'holds a variable that the client did not fill in';
    expect(() => read({ BUS_MCP_AGENT_ID: text })).toThrow(`BUS_MCP_AGENT_ID ${words}`);
    expect(() => read({}, { agentId: text })).toThrow(`--agent-id ${words}`);
  });

  it.each(settingEntries.map(([, { environment }]) => environment))(
    'is refused as the whole of %s',
    (name) => {
      const readers = ['client', 'mcp', 'bus', 'data', 'tests'] as const;
      const told = () => readConfig({ environment: { [name]: `\${${name}}` }, readers }).warnings.join();
      const sentence = `${name} holds a variable that the client did not fill in`;
      if (name === 'BUS_MCP_TIMEOUT_S') expect(told()).toContain(sentence);
      else expect(told).toThrow(sentence);
    },
  );

  it('is none where a name has a dollar or a percent sign in it', () => {
    const id = 'costs $5, 100% sure';
    expect(read({ BUS_MCP_AGENT_ID: id }).config.agentId).toBe(id);
  });
});
