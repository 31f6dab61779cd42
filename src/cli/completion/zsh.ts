import type { CommandWords, FlagWords, OperandWords } from './words.ts';

/** Works from a startup file, and as a file `_bus-mcp` in a folder of `fpath`. */
export function toZshScript(commands: readonly CommandWords[]): string {
  return `#compdef bus-mcp
# Completion of bus-mcp for zsh
_bus_mcp() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[Print the help]' '(- *)'{-v,--version}'[Print the version]' \\
    '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands
      commands=(
${commands.map(({ name, summary }) => `        ${quote(`${name}:${escapeColons(summary)}`)}`).join('\n')}
      )
      _describe command commands
      ;;
    rest)
      case $words[1] in
${commands.map(toCase).join('\n')}
      esac
      ;;
  esac
}
if [ "$funcstack[1]" = _bus-mcp ]; then _bus_mcp "$@"; else compdef _bus_mcp bus-mcp; fi
`;
}

function toCase({ flags, names, operands }: CommandWords): string {
  const specifications = [...flags.flatMap(toFlag), ...operands.map(toOperand)];
  return `        ${names.join(' | ')}) _arguments ${specifications.map(quote).join(' ')} ;;`;
}

function toFlag({ description, names, value }: FlagWords): readonly string[] {
  const text = `[${escapeColons(description).replace(/[[\]]/g, '\\$&')}]`;
  const after = value === undefined ? '' : `:${value.name}:${toAction(value)}`;
  return names.map((name) => `${name}${text}${after}`);
}

function toAction({ choices, isFile, isList, name }: NonNullable<FlagWords['value']>): string {
  const words = choices.join(' ');
  if (isList) return `_values -s , ${name} ${words}`;
  return words === '' ? (isFile ? '_files' : ' ') : `(${words})`;
}

function toOperand({ choices, isFile, isRest, name }: OperandWords, index: number): string {
  const free = isFile ? '_files' : ' ';
  const action = choices.length > 0 ? `(${choices.join(' ')})` : free;
  return isRest ? `*:${name}:_files` : `${index + 1}:${name}:${action}`;
}

function escapeColons(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
