import { operationsAt } from '../contract/contract.ts';
import { toSnakeCase } from '../contract/names.ts';
import type { CommandDeclaration } from './command.ts';
import { exitStatus } from './failure.ts';
import { toTable } from './table.ts';
import { toJsonLine } from './visible.ts';

/** Says what an agent will find, without a bus and without a transport. */
export const toolsCommand: CommandDeclaration = {
  name: 'tools',
  group: 'Run',
  summary: 'List the MCP tools',
  readers: [],
  declare: (command) => {
    command.option('--json', 'Print them as one line of JSON');
  },
  async run({ flags, terminal }) {
    const tools = operationsAt('mcp').map(([name, { title, summary }]) => ({
      name: toSnakeCase(name),
      title,
      summary,
    }));
    const [, ...lines] = toTable(
      ['', ''],
      tools.map(({ name, summary }) => [name, summary]),
    );
    await terminal.print(flags.json === true ? toJsonLine({ tools }) : lines.join('\n'));
    return exitStatus.done;
  },
};
