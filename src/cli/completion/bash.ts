import { type CommandWords, toValueFlags } from './words.ts';

/** Works with the bash 3.2 that macOS has. */
export function toBashScript(commands: readonly CommandWords[]): string {
  const files = toValueFlags(commands, ({ isFile }) => isFile);
  return `# Completion of bus-mcp for bash
_bus_mcp() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local command= operands=0 words= files= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --)
        # What follows is the command line of another program.
        COMPREPLY=($(compgen -f -- "$word"))
        return
        ;;
      ${toPattern(toValueFlags(commands))}) ((i++)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${COMP_WORDS[i]}; else ((operands++)); fi ;;
    esac
  done
  case $before in
    ${toPattern(files)})
      COMPREPLY=($(compgen -f -- "$word"))
      return
      ;;
    ${toPattern(toValueFlags(commands))}) return ;;
  esac
  case $command in
    '') words='${['--help', '--version', ...commands.map(({ name }) => name)].join(' ')}' ;;
${commands.map(toCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $([[ -n $files ]] && compgen -f -- "$word"))
}
complete -F _bus_mcp bus-mcp
`;
}

function toCase({ flags, name, operands }: CommandWords): string {
  const lines = operands.flatMap(({ choices, isFile }, index) => {
    const more = isFile ? 'files=yes' : `words+=' ${choices.join(' ')}'`;
    return isFile || choices.length > 0 ? [`      ((operands == ${index})) && ${more}`] : [];
  });
  const words = flags.flatMap(({ names }) => names).filter((one) => one.startsWith('--'));
  return [`    ${name})`, `      words='${words.join(' ')}'`, ...lines, '      ;;'].join('\n');
}

function toPattern(names: readonly string[]): string {
  return names.join(' | ');
}
