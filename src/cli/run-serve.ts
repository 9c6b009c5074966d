import { toFault } from '../core/fault.js'
import { parseListenAddress } from '../server/listen-address.js'
import { serve } from '../server/serve.js'
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
  },
  context: CommandContext,
): Promise<void> {
  const { terminal, environment, signal } = context
  const { database, config } = options
  const listen = parseListenAddress(options.listen)
  const publicUrl = options.publicUrl === undefined ? undefined : parsePublicUrl(options.publicUrl)
  const server = await serve({ environment, database, config, listen, publicUrl, log: terminal.stderr })
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
