import { setMaxListeners } from 'node:events'
import type { CallName, Calls } from '../../client/src/index.js'
import type { OperationContext } from '../api/operation.js'
import { operations } from '../api/operations.js'
import { type Cost, noCost } from '../core/cost.js'
import { adminCaller } from '../iam/caller.js'
import { capabilities } from '../iam/capabilities.js'
import { callServer, parseServer, serverAddress } from './call-server.js'
import { type CommandContext, type CommonOptions, withServices } from './context.js'
import { tokenFor } from './login.js'
import { reportWarning } from './report.js'
import { colorsFor } from './terminal.js'

/** What {@link call} can be told besides the input. */
export interface CallOptions extends Partial<CommonOptions> {
  readonly digestStore?: string | undefined
  readonly onProgress?: OperationContext['onProgress']
  readonly onPage?: OperationContext['onPage']
  readonly documents?: OperationContext['documents']
}

/**
 * Runs an operation: here, on the local store, or there, with `--server`. The body is the same.
 * @throws Fault
 */
export async function call<Name extends CallName>(
  name: Name,
  input: Calls[Name]['input'],
  context: CommandContext,
  options: CallOptions,
): Promise<Calls[Name]['output']> {
  const server = serverAddress(options.server, context.environment)
  if (server !== undefined) return await callThere(name, input, server, context)
  setMaxListeners(0, context.signal)
  const operation = await operations[name]()
  return await withServices(context, options, async (services) => {
    const cost = noCost()
    const { onProgress, onPage, documents } = options
    const { body } = await operation.run(input, {
      ...{ services, cost, signal: context.signal, readsLocalSources: true, caller: adminCaller(capabilities) },
      warn: (message) => reportWarning(message, context.terminal, context.environment),
      ...(onProgress && { onProgress }),
      ...(onPage && { onPage }),
      ...(documents && { documents }),
    })
    tellCost(cost, context, options.cost === true)
    return body
  })
}

/** What was asked of registries, as one line on stderr: on a terminal, or where it is asked for. */
export function tellCost({ requests, bytes }: Cost, context: CommandContext, isAsked: boolean): void {
  const { stderr } = context.terminal
  if (requests === 0 || !(isAsked || stderr.isTTY === true)) return
  const text = `${requests} ${requests === 1 ? 'request' : 'requests'}, ${bytes} bytes`
  stderr.write(`${colorsFor(stderr, context.environment).dim(text)}\n`)
}

async function callThere<Name extends CallName>(
  name: Name,
  input: Calls[Name]['input'],
  server: string,
  context: CommandContext,
): Promise<Calls[Name]['output']> {
  const url = parseServer(server)
  return await callServer(name, input, { url, token: await tokenFor(url, context), signal: context.signal })
}
