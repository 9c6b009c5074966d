import { Argument, Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import { completionScript, shells } from '../completion.js'
import type { CommandContext } from '../context.js'

/** `tidemark completion`; `program` is what is completed. */
export function completionCommand(context: CommandContext, program: () => CommandUnknownOpts) {
  return new Command('completion')
    .description('Print a completion script for your shell')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  source <(tidemark completion bash)
  tidemark completion fish > ~/.config/fish/completions/tidemark.fish`,
    )
    .action((shell) => {
      context.terminal.stdout.write(completionScript(program(), shell))
    })
}
