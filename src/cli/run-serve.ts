import { Fault, toFault } from '../core/fault.js'
import { parseListenAddress, parseServerNames } from '../server/listen-address.js'
import { serve, type TlsFiles } from '../server/serve.js'
import { parsePublicUrl } from './call-server.js'
import type { CommandContext } from './context.js'
import { reportError } from './report.js'
import { untilAborted } from './until-aborted.js'

/** Serves until `context.signal` aborts; SIGHUP reads the configuration again. */
export async function runServe(
  options: {
    listen: string
    database?: string | undefined
    config?: string | undefined
    publicUrl?: string | undefined
    host?: string | undefined
    tlsCert?: string | undefined
    tlsKey?: string | undefined
  },
  context: CommandContext,
): Promise<void> {
  const { terminal, environment, signal } = context
  const { database, config } = options
  const listen = parseListenAddress(options.listen)
  const publicUrl = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl)
  const names = options.host === undefined ? undefined : parseServerNames(options.host)
  if (names !== undefined && publicUrl !== undefined) {
    throw new Fault('invalid-argument', '--public-url gives all surfaces one name, and --host each its own', {
      fix: 'Give one of them.',
    })
  }
  const tls = tlsFilesOf(options)
  const log = terminal.stderr
  const server = await serve({ environment, database, config, listen, publicUrl, names, tls, log })
  const reload = () => {
    // A configuration that cannot be read changes nothing: the old one stays, and the reader is told.
    server.reload().catch((error: unknown) => reportError(toFault(error), terminal, environment))
  }
  process.on('SIGHUP', reload)
  terminal.stdout.write(`${server.url}\n`)
  if (terminal.stderr.isTTY) terminal.stderr.write(`The admin token is in ${server.tokenFile}. Ctrl-C stops.\n`)
  try {
    await untilAborted(signal)
  } finally {
    process.off('SIGHUP', reload)
    await server.stop()
  }
}

/** @throws Fault `invalid-argument` for one without the other */
function tlsFilesOf({
  tlsCert,
  tlsKey,
}: {
  tlsCert?: string | undefined
  tlsKey?: string | undefined
}): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert !== undefined && tlsKey !== undefined) return { certFile: tlsCert, keyFile: tlsKey }
  throw new Fault('invalid-argument', '--tls-cert and --tls-key go together', { fix: 'Give both, or neither.' })
}
