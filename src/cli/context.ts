import type { Command, OptionValues } from '@commander-js/extra-typings'
import { Option } from '@commander-js/extra-typings'
import { openServices, type Services } from '../flows/open.js'
import type { Environment } from '../flows/places.js'
import type { Terminal } from './terminal.js'

/** What every command runs with. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly environment: Environment
  /** Aborts on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Says how the command ends, where it does not fail. */
  setExitCode(code: number): void
}

/** Options of every command that runs an operation. */
export interface CommonOptions {
  readonly output: 'table' | 'json'
  readonly database?: string | undefined
  readonly config?: string | undefined
  readonly server?: string | undefined
  readonly cost?: true | undefined
}

/** `-o`: the form of the data on stdout. */
export function outputOption() {
  return new Option('-o, --output <form>', 'form of the data on stdout')
    .choices(['table', 'json'] as const)
    .default('table' as const)
}

/** Adds what says which store and configuration a command uses. */
export function withStoreOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option(
      '--database <url>',
      'sqlite:PATH or postgres://… ($TIDEMARK_DATABASE; by default a file in the data folder)',
    )
    .option('--config <file>', 'tidemark.yaml ($TIDEMARK_CONFIG; by default in the configuration folder)')
    .option('--cost', 'tell on stderr what was asked of registries')
}

/** Adds the options that commands on the local store share. */
export function withStore<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return withStoreOptions(command.addOption(outputOption()))
}

/** Adds the options that commands share which can run on a server. */
export function withCommon<Args extends unknown[], Options extends OptionValues>(command: Command<Args, Options>) {
  return withStore(command).option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER)')
}

/** Runs `work` with services of its own, which are closed whatever happens. */
export async function withServices<Value>(
  context: CommandContext,
  options: { database?: string | undefined; config?: string | undefined; digestStore?: string | undefined },
  work: (services: Services) => Promise<Value>,
): Promise<Value> {
  const { database, config, digestStore } = options
  const services = openServices({ environment: context.environment, database, config, digestStore })
  try {
    return await work(services)
  } finally {
    await services.close()
  }
}
