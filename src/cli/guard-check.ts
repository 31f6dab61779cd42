import { isUnder, lookAtFiles, toReason } from '../client-side/guard.ts';
import { findShellSession } from '../client-side/innermost.ts';
import { joinBus } from '../client-side/join.ts';
import { findSurroundings } from '../client-side/project.ts';
import type { CommandDeclaration, Invocation, OpenedBus } from './command.ts';
import { exitStatus } from './failure.ts';

/** The guard for tools that have no hooks: a script, a watcher, another agent's own wrapper. */
export const guardCheckCommand: CommandDeclaration = {
  name: 'guard-check',
  group: 'For scripts',
  summary: 'Say whether another session holds one of these files',
  guidance:
    'Exit status 1 and a sentence when another holds one of them; 0 when nobody does, or when the bus cannot be asked, because an edit must not wait for it. Lanes under BUS_MCP_AGENT_ID are your own.',
  readers: ['client'],
  declare: (command) => {
    command.argument('<files...>', 'Files that are about to be changed; they need not exist');
  },
  run: guardCheck,
};

const answerMilliseconds = 800;

async function guardCheck(invocation: Invocation): Promise<number> {
  const { actions, config, operands, terminal } = invocation;
  const surroundings = findSurroundings(config);
  const signal = AbortSignal.timeout(answerMilliseconds);
  const bus = await actions.openBus({ ...config, autostart: false });
  try {
    const looked = await lookAtFiles(operands, {
      surroundings,
      checkPaths: async (paths) => (await bus.checkPaths({ paths }, { signal })).held,
    });
    const ids = looked.held.length > 0 ? await findOwnIds(invocation, bus) : [];
    const held = looked.held.filter(({ owner }) => !isUnder(ids, owner));
    if (held.length === 0) return exitStatus.done;
    terminal.remark(toReason(held, surroundings));
    return exitStatus.refused;
  } catch (error) {
    terminal.remark(`not checked: ${error instanceof Error ? error.message : String(error)}`);
    return exitStatus.done;
  } finally {
    await bus.close();
  }
}

/** The id that somebody set, else that of the agent whose shell this is. */
async function findOwnIds({ config, environment }: Invocation, bus: OpenedBus): Promise<readonly string[]> {
  if (config.given.has('agentId')) return [config.agentId];
  const session = findShellSession(environment);
  return session ? [(await joinBus(bus, session)).agent] : [];
}
