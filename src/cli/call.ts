import { setMaxListeners } from 'node:events'
import { type CallName, type Calls, createClient, TidemarkError } from '../../client/src/index.js'
import type { OperationContext } from '../api/operation.js'
import { operations } from '../api/operations.js'
import { type Cost, noCost } from '../core/cost.js'
import { Fault, oneLine } from '../core/fault.js'
import { type FaultCode, faultCatalog } from '../core/fault-catalog.js'
import { isLoopbackHost, parseHost } from '../core/host.js'
import { dataFolder, type Environment } from '../flows/places.js'
import { readAdminToken } from '../iam/admin-token.js'
import { adminCaller } from '../iam/caller.js'
import { capabilities } from '../iam/capabilities.js'
import { type CommandContext, type CommonOptions, withServices } from './context.js'
import { reportWarning } from './report.js'
import { colorsFor } from './terminal.js'

/** What {@link call} can be told besides the input. */
export interface CallOptions extends Partial<CommonOptions> {
  readonly digestStore?: string | undefined
  readonly onProgress?: OperationContext['onProgress']
  readonly onPage?: OperationContext['onPage']
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
  const server = options.server ?? (context.environment.TIDEMARK_SERVER || undefined)
  if (server !== undefined) return await callThere(name, input, server, context)
  setMaxListeners(0, context.signal)
  return await withServices(context, options, async (services) => {
    const cost = noCost()
    const { onProgress, onPage } = options
    const { body } = await operations[name].run(input, {
      ...{ services, cost, signal: context.signal, readsLocalSources: true, caller: adminCaller(capabilities) },
      warn: (message) => reportWarning(message, context.terminal, context.environment),
      ...(onProgress && { onProgress }),
      ...(onPage && { onPage }),
    })
    tellCost(cost, context, options.cost === true)
    return body
  })
}

/** One line on stderr: on a terminal, or where it is asked for. */
function tellCost({ requests, bytes }: Cost, context: CommandContext, isAsked: boolean): void {
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
  const token = await tokenFor(url, context.environment)
  const client = createClient({ url: url.href, ...(token !== null && { token }) })
  try {
    const { body } = await client.call(name, input, { signal: context.signal })
    return body
  } catch (error) {
    if (error instanceof TidemarkError) throw faultOf(error)
    if (context.signal.aborted) throw new Fault('cancelled', 'cancelled', { cause: error })
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = cause instanceof Error ? oneLine(cause.message) : ''
    throw new Fault('unreachable', `no connection to the server ${url.origin}${why === '' ? '' : `: ${why}`}`, {
      cause: error,
      fix: 'Check --server (or TIDEMARK_SERVER), and that `tidemark serve` runs there.',
    })
  }
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && (url.username !== '' || url.password !== '')) {
    throw new Fault('invalid-argument', 'the URL of a server holds no user and no password', {
      fix: 'Write it as http://HOST:PORT, and set TIDEMARK_TOKEN.',
    })
  }
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new Fault('invalid-argument', `not the URL of a server: '${oneLine(text.slice(0, 80))}'`, {
    fix: 'Write it as http://HOST:PORT.',
  })
}

/** `$TIDEMARK_TOKEN`; else the admin token of this machine, which goes to no other. */
async function tokenFor(url: URL, environment: Environment): Promise<string | null> {
  const { TIDEMARK_TOKEN } = environment
  if (TIDEMARK_TOKEN && !/^[\x21-\x7e]+$/.test(TIDEMARK_TOKEN)) {
    throw new Fault('invalid-argument', 'TIDEMARK_TOKEN is no token: it holds a space, or what no header may hold')
  }
  if (TIDEMARK_TOKEN) return TIDEMARK_TOKEN
  if (!isLoopbackHost(parseHost(url.host))) return null
  const token = await readAdminToken(dataFolder(environment))
  return token?.reveal() ?? null
}

/** The server's account, as if it had happened here. */
function faultOf({ problem }: TidemarkError): Fault {
  const code = Object.hasOwn(faultCatalog, problem.code) ? (problem.code as FaultCode) : 'internal'
  return new Fault(code, problem.detail, { fix: problem.fix, ...(problem.data && { data: problem.data }) })
}
