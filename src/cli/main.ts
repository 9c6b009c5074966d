import { Command, CommanderError } from '@commander-js/extra-typings'
import { oneLine, toFault } from '../core/fault.js'
import type { Environment } from '../flows/places.js'
import { version } from '../version.js'
import { authCommand } from './commands/auth.js'
import { checkCommand } from './commands/check.js'
import { completionCommand } from './commands/completion.js'
import { dbCommand } from './commands/db.js'
import { deliveriesCommand } from './commands/deliveries.js'
import { diffCommand } from './commands/diff.js'
import { digestCommand } from './commands/digest.js'
import { doctorCommand } from './commands/doctor.js'
import { explainCommand } from './commands/explain.js'
import { historyCommand } from './commands/history.js'
import { iamCommand } from './commands/iam.js'
import { packagesCommand } from './commands/packages.js'
import { pinCommand } from './commands/pin.js'
import { planCommand } from './commands/plan.js'
import { registryCommand } from './commands/registry.js'
import { repoCommand } from './commands/repo.js'
import { scanCommand } from './commands/scan.js'
import { serveCommand } from './commands/serve.js'
import { tagCommand } from './commands/tag.js'
import { tagsCommand } from './commands/tags.js'
import { versionCommand } from './commands/version.js'
import { watchCommand } from './commands/watch.js'
import type { CommandContext } from './context.js'
import { exitCodes, reportError } from './report.js'
import type { Terminal } from './terminal.js'

/** What a run of the command needs of the process around it. */
export interface MainOptions {
  /** The arguments after the program's name. */
  readonly args: readonly string[]
  readonly terminal: Terminal
  readonly environment: Environment
  readonly signal: AbortSignal
}

/** Runs one command and gives its exit code. Never throws. */
export async function main({ args, terminal, environment, signal }: MainOptions): Promise<number> {
  let exitCode: number = exitCodes.done
  const context: CommandContext = {
    terminal,
    environment,
    signal,
    setExitCode: (code) => {
      exitCode = code
    },
  }
  try {
    await createProgram(context).parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    // Of stdout: what goes wrong with a registry's connection is a fault.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return exitCodes.readerGone
    // Ctrl-C was meant: nothing is wrong, and nothing more is said.
    if (toFault(error).code === 'cancelled' && signal.aborted) return exitCodes.interrupted
    return reportError(error, terminal, environment)
  }
}

/** The program with all its commands: what `--help` and completion show. */
export function createProgram(context: CommandContext) {
  const { stdout, stderr } = context.terminal
  const program: Command = new Command('tidemark')
    .description('Watches image tags on any registry without pulling, and remembers every digest that they have had.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 1 a gate hit; 2 wrong usage or input; 3 the registry, the
network or the disk failed; 10 and 20: see \`tidemark check --help\`.

Examples:
  tidemark digest nginx:1.27
  tidemark check -f images.txt
  tidemark watch add nginx:1.27 --every 5m && tidemark serve`,
    )
  const commands = [
    digestCommand(context),
    tagsCommand(context),
    tagCommand(context),
    checkCommand(context),
    packagesCommand(context),
    diffCommand(context),
    scanCommand(context),
    explainCommand(context),
    pinCommand(context),
    watchCommand(context),
    planCommand(context),
    historyCommand(context),
    serveCommand(context),
    doctorCommand(context),
    repoCommand(context),
    iamCommand(context),
    authCommand(context),
    deliveriesCommand(context),
    dbCommand(context),
    registryCommand(context),
    completionCommand(context, () => program),
    versionCommand(context),
  ]
  for (const command of commands) program.addCommand(command)
  forEach(program, (command) => {
    command
      .exitOverride()
      // Else `history` would take the options of `history import` for its own.
      .enablePositionalOptions()
      .configureOutput({
        writeOut: (text) => stdout.write(text),
        writeErr: (text) => stderr.write(text),
        outputError: (text, write) => write(printable(text)),
      })
      .showHelpAfterError(`Run \`${pathOf(command)} --help\` to see how it is used.`)
      .showSuggestionAfterError()
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false)
  })
  return program
}

/** An error of the parser quotes arguments as they came. */
function printable(text: string): string {
  return `${text.trimEnd().split('\n').map(oneLine).join('\n')}\n`
}

function forEach(command: AnyCommand, visit: (command: AnyCommand) => void): void {
  visit(command)
  for (const child of command.commands) forEach(child as AnyCommand, visit)
}

// biome-ignore lint/suspicious/noExplicitAny: the options of every command are its own; here only their tree matters
type AnyCommand = Command<any, any, any>

function pathOf(command: AnyCommand): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent as AnyCommand)} ${command.name()}`
}
