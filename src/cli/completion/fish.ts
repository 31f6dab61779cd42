import type { CommandWords, FlagWords } from './words.ts';

export function toFishScript(commands: readonly CommandWords[]): string {
  const lines = [
    '# Completion of bus-mcp for fish',
    'complete -c bus-mcp -f',
    `${inNoCommand} -s h -l help -d 'Print the help'`,
    `${inNoCommand} -s v -l version -d 'Print the version'`,
    ...commands.map(({ name, summary }) => `${inNoCommand} -a ${name} -d ${quote(summary)}`),
    ...commands.flatMap(toLines),
  ];
  return `${lines.join('\n')}\n`;
}

const inNoCommand = 'complete -c bus-mcp -n __fish_use_subcommand';

function toLines({ flags, names, operands }: CommandWords): readonly string[] {
  const inCommand = `complete -c bus-mcp -n '__fish_seen_subcommand_from ${names.join(' ')}'`;
  const choices = operands.flatMap((operand) => operand.choices);
  return [
    ...flags.flatMap((flag) => toFlags(flag).map((text) => `${inCommand} ${text}`)),
    ...(choices.length > 0 ? [`${inCommand} -a '${choices.join(' ')}'`] : []),
    ...(operands.some(({ isFile }) => isFile) ? [`${inCommand} -F`] : []),
  ];
}

function toFlags({ description, names, value }: FlagWords): readonly string[] {
  const after = value === undefined ? '' : value.isFile ? ' -r -F' : toValue(value);
  return names.map((name) => {
    const named = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
    return `${named}${after} -d ${quote(description)}`;
  });
}

function toValue({ choices, isList }: NonNullable<FlagWords['value']>): string {
  if (choices.length === 0) return ' -x';
  const words = choices.join(' ');
  return isList ? ` -x -a "(__fish_complete_list , 'printf %s\\\\n ${words}')"` : ` -x -a '${words}'`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
