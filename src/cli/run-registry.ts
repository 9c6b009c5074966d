import { Fault } from '../core/fault.js'
import { readYaml } from '../flows/read-yaml.js'
import { isLoopbackAddress, parseListenAddress } from '../server/listen-address.js'
import { scriptSchema } from '../test-registry/script.js'
import { startTestRegistry } from '../test-registry/serve.js'
import type { CommandContext } from './context.js'
import { readInput } from './read-input.js'
import { untilAborted } from './until-aborted.js'

/** Options of `tidemark registry serve`. */
export interface RegistryOptions {
  readonly listen: string
  readonly script?: string | undefined
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
}

/** Runs the test registry until `context.signal` aborts. */
export async function runRegistry(options: RegistryOptions, { terminal, signal }: CommandContext): Promise<void> {
  const listen = parseListenAddress(options.listen)
  if (!isLoopbackAddress(listen)) {
    throw new Fault('unsafe-bind', 'the test registry takes pushes from anybody, so it listens on loopback only', {
      fix: 'Give --listen 127.0.0.1:PORT.',
    })
  }
  const script = options.script === undefined ? {} : await readYaml(options.script, scriptSchema, 'invalid-script')
  const tls = await readTls(options)
  const registry = await startTestRegistry({ ...listen, script, ...(tls && { tls }) })
  terminal.stdout.write(`${registry.origin}\n`)
  if (terminal.stderr.isTTY) {
    const samples = registry.content.names().join(', ') || 'nothing'
    terminal.stderr.write(`It holds ${samples}. Ctrl-C stops.\n`)
  }
  try {
    await untilAborted(signal)
  } finally {
    await registry.close()
  }
}

async function readTls({ tlsCert, tlsKey }: RegistryOptions): Promise<{ cert: string; key: string } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new Fault('invalid-argument', '--tls-cert and --tls-key go together', { fix: 'Give both, or neither.' })
  }
  return { cert: await readInput(tlsCert), key: await readInput(tlsKey) }
}
