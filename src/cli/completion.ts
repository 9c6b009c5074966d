import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { Fault } from '../core/fault.js'

/** The shells that completion is printed for. */
export const shells = ['bash', 'zsh', 'fish'] as const

interface CommandWords {
  /** `watch add`; empty for the program itself. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly help: string }[]
}

/** A completion script for `shell`, made from the program's own commands and options. */
export function completionScript(program: CommandUnknownOpts, shell: string): string {
  const commands = listCommands(program, [])
  switch (shell) {
    case 'bash':
      return bashScript(commands)
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`
    case 'fish':
      return fishScript(commands)
    default:
      throw new Fault('invalid-argument', `no completion for '${shell}'`, {
        fix: `Choose one of ${shells.join(', ')}.`,
      })
  }
}

function listCommands(command: CommandUnknownOpts, path: readonly string[]): CommandWords[] {
  const subcommands = command.commands.filter((entry) => entry.name() !== 'help')
  const options = command.createHelp().visibleOptions(command)
  const words = [
    ...subcommands.map((entry) => ({ word: entry.name(), help: entry.description() })),
    ...options.map((option) => ({ word: option.long ?? option.short ?? '', help: option.description })),
  ]
  const below = subcommands.flatMap((entry) => listCommands(entry, [...path, entry.name()]))
  return [{ path: path.join(' '), words }, ...below]
}

function bashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    ({ path, words }) => `    "${path}") words="${words.map(({ word }) => word).join(' ')}" ;;`,
  )
  const known = commands.map(({ path }) => `"${path}"`).join('|')
  return `_tidemark() {
  local path="" words="" next word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in -*) continue ;; esac
    next="\${path:+$path }$word"
    case "$next" in
    ${known}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tidemark tidemark
`
}

function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ path, words }) =>
    words.map(({ word, help }) => {
      const condition = fishCondition(path, commands)
      const target = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      return `complete -c tidemark -n "${condition}" ${target} -d '${help.replace(/'/g, "\\'").split('\n')[0]}'`
    }),
  )
  return `complete -c tidemark -f\n${lines.join('\n')}\n`
}

function fishCondition(path: string, commands: readonly CommandWords[]): string {
  if (path === '') return '__fish_use_subcommand'
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = commands
    .filter((command) => command.path.startsWith(`${path} `))
    .map((command) => command.path.slice(path.length + 1))
  return [...seen, ...(below.length > 0 ? [`not __fish_seen_subcommand_from ${below.join(' ')}`] : [])].join('; and ')
}
