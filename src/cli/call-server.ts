import { type CallName, type Calls, createClient, TidemarkError } from '../../client/src/index.js'
import { Fault, oneLine } from '../core/fault.js'
import { type FaultCode, faultCatalog } from '../core/fault-catalog.js'
import type { Environment } from '../flows/places.js'

/**
 * Makes one call on a server.
 * @throws Fault the server's own, or `unreachable`, `cancelled`
 */
export async function callServer<Name extends CallName>(
  name: Name,
  input: Calls[Name]['input'],
  { url, token, signal }: { url: URL; token: string | null; signal: AbortSignal },
): Promise<Calls[Name]['output']> {
  const client = createClient({ url: url.href, ...(token !== null && { token }) })
  try {
    const { body } = await client.call(name, input, { signal })
    return body
  } catch (error) {
    if (error instanceof TidemarkError) throw faultOf(error)
    if (signal.aborted) throw new Fault('cancelled', 'cancelled', { cause: error })
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = cause instanceof Error ? oneLine(cause.message) : ''
    throw new Fault('unreachable', `no connection to the server ${url.origin}${why === '' ? '' : `: ${why}`}`, {
      cause: error,
      fix: 'Check --server (or TIDEMARK_SERVER), and that `tidemark serve` runs there.',
    })
  }
}

/** The server that a command is to run on, as it was given; undefined where it runs here. */
export function serverAddress(option: string | undefined, { TIDEMARK_SERVER: named }: Environment): string | undefined {
  return option ?? (named || undefined)
}

/**
 * Reads `--server`.
 * @throws Fault `invalid-argument`
 */
export function parseServer(text: string): URL {
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

/**
 * Reads `--public-url`: scheme, host and port; the slash at its end is dropped.
 * @throws Fault `invalid-argument`
 */
export function parsePublicUrl(text: string): string {
  const { origin, pathname, search, hash } = parseServer(text)
  if (pathname === '/' && search === '' && hash === '') return origin
  throw new Fault('invalid-argument', `a public URL has no path: '${oneLine(text.slice(0, 80))}'`, {
    fix: `Write it as ${origin}.`,
  })
}

/** The server's account, as if it had happened here. */
function faultOf({ problem }: TidemarkError): Fault {
  const code = Object.hasOwn(faultCatalog, problem.code) ? (problem.code as FaultCode) : 'internal'
  return new Fault(code, problem.detail, { fix: problem.fix, ...(problem.data && { data: problem.data }) })
}
