import { type CommandWords, toValueFlags } from './words.ts';

/** Works with bash 3.2, which macOS ships. That version cannot mark a candidate as a file name later on. */
export function toBashScript(commands: readonly CommandWords[]): string {
  const valueFlags = toValueFlags(commands);
  return `# Completion of bus-mcp for bash
_bus_mcp_files() {
  local name
  # Folders get their slash, and names with blanks are written out.
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$word")
}
_bus_mcp() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local command= operands=0 words= files= prefix= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --)
        # What follows is the command line of another program.
        _bus_mcp_files
        return
        ;;
      ${toPattern(valueFlags)}) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${COMP_WORDS[i]}; else ((operands++)); fi ;;
    esac
  done
  case $before in
    ${toPattern(toValueFlags(commands, ({ isFile }) => isFile))})
      _bus_mcp_files
      return
      ;;
${toChoiceCases(commands).join('\n')}
    ${toPattern(valueFlags)}) return ;;
  esac
  case $command in
    '') words='${['--help', '--version', ...commands.map(({ name }) => name)].join(' ')}' ;;
${commands.map(toCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ -n $files ]] && _bus_mcp_files
}
complete -F _bus_mcp bus-mcp
`;
}

function toChoiceCases(commands: readonly CommandWords[]): readonly string[] {
  const cases = commands
    .flatMap(({ flags }) => flags)
    .flatMap(({ names, value }) => {
      if (value === undefined || value.choices.length === 0) return [];
      const list = value.isList ? [`[[ $word == *,* ]] && prefix=\${word%,*},`] : [];
      const words = `COMPREPLY=($(compgen -P "$prefix" -W '${value.choices.join(' ')}' -- "\${word#"$prefix"}"))`;
      return [
        `    ${toPattern(names)})`,
        ...[...list, words, 'return', ';;'].map((line) => `      ${line}`),
      ].join('\n');
    });
  return [...new Set(cases)];
}

function toCase({ flags, names, operands }: CommandWords): string {
  const lines = operands.flatMap(({ choices, isFile }, index) => {
    const more = isFile ? 'files=yes' : `words+=' ${choices.join(' ')}'`;
    return isFile || choices.length > 0 ? [`      ((operands == ${index})) && ${more}`] : [];
  });
  // If a flag has two long names, offer the short one.
  const words = flags.flatMap((flag) => flag.names.filter((one) => one.startsWith('--')).slice(0, 1));
  return [`    ${toPattern(names)})`, `      words='${words.join(' ')}'`, ...lines, '      ;;'].join('\n');
}

function toPattern(names: readonly string[]): string {
  return names.join(' | ');
}
