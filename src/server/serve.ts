import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createSecureContext, type Server as TlsServer } from 'node:tls'
import { pino } from 'pino'
import { Fault, oneLine, toFault } from '../core/fault.js'
import { addressesOf, addressesOfNames } from '../flows/authority.js'
import { readConfig } from '../flows/config.js'
import { type Deliverer, startDelivering } from '../flows/deliver.js'
import { type AdvisoryKeeper, startKeepingAdvisories } from '../flows/keep-advisories.js'
import { openServices, type ServiceOptions } from '../flows/open.js'
import { type Retainer, startRetaining } from '../flows/retain.js'
import { startWatching } from '../flows/watch.js'
import type { Watcher } from '../flows/watcher.js'
import { parseNetworks } from '../http/guard.js'
import { adminTokenPath, ensureAdminToken } from '../iam/admin-token.js'
import type { AuthSettings } from '../iam/settings.js'
import { createApp } from './app.js'
import { isLoopbackAddress, type ListenAddress, type ServerNames, urlOf } from './listen-address.js'
import { createWebhooks, type Webhooks } from './webhooks/webhooks.js'

/** What {@link serve} is made of. */
export interface ServeOptions extends ServiceOptions {
  readonly listen: ListenAddress
  /** What clients call this server: issuer and audience of its tokens; `http://LISTEN` when left out. No slash at the end. */
  readonly publicUrl?: string | undefined
  /** What clients call its three surfaces, in place of one URL for all: TLS is spoken there, here or by a proxy. */
  readonly names?: ServerNames | undefined
  /** To speak TLS: files in PEM, read again with the configuration. */
  readonly tls?: TlsFiles | undefined
  /** Where the log goes: one JSON object a line. */
  readonly log: NodeJS.WritableStream
}

/** A certificate, with those between it and the root, and its key. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** A running server. */
export interface RunningServer {
  readonly url: string
  /** The file with the admin token. */
  readonly tokenFile: string
  /** Reads the configuration again. @throws Fault `invalid-config` and others; then nothing is changed */
  reload(): Promise<void>
  /** Stops cleanly: nothing is lost, nothing half written. */
  stop(): Promise<void>
}

/**
 * Starts everything: store, watching, deliveries, API.
 * @throws Fault `unsafe-bind`, `address-in-use`, and those of configuration and store
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { names } = options
  const scheme = options.tls === undefined ? 'http' : 'https'
  let url = options.publicUrl ?? urlOf(options.listen, scheme)
  const addresses = () => (names === undefined ? addressesOf(url) : addressesOfNames(names))
  const services = openServices({ ...options, keepsProfiles: true, addresses })
  const log = pino(
    {
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      level: options.environment.TIDEMARK_LOG || 'info',
    },
    options.log,
  )
  const stops: (() => Promise<unknown>)[] = [() => services.close()]
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end()
  }
  try {
    const config = await services.config()
    const { auth = {}, server: { trustedProxies = [] } = {} } = config
    parseNetworks(trustedProxies, 'server.trustedProxies')
    const tls = options.tls === undefined ? null : await readTls(options.tls)
    const isLoopback = isLoopbackAddress(options.listen)
    refuseUnsafe(auth, isLoopback)
    await ensureAdminToken(services.dataFolder)
    await services.store()
    const authority = await services.authority()
    const watcher = await startWatching(services, log)
    stops.push(() => watcher.stop())
    const deliverer = await startDelivering(services, log)
    stops.push(() => deliverer.stop())
    const keeper = startKeepingAdvisories(services, log, config)
    stops.push(() => keeper.stop())
    const retainer = startRetaining(services, log, config)
    stops.push(() => retainer.stop())
    const isOpen = isLoopback && !isConfigured(auth)
    const { counts } = watcher
    const webhooks = createWebhooks(services, watcher)
    await webhooks.configure(config)
    const app = await createApp({ services, log, authority, isLoopback, isOpen, counts, webhooks, tls, trustedProxies })
    stops.push(() => app.close())
    const listening = await listen(app, options.listen, scheme)
    url = options.publicUrl ?? listening
    log.info({ url: listening }, 'listening')
    const reload = async () => {
      if (options.tls !== undefined) (app.server as unknown as TlsServer).setSecureContext(await readTls(options.tls))
      await reloadConfig(options, { webhooks, watcher, deliverer, keeper, retainer })
    }
    return { url: listening, tokenFile: adminTokenPath(services.dataFolder), reload, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whether somebody said who may use this server, besides whoever has its admin token. */
function isConfigured({ tokens = [], oidc }: AuthSettings): boolean {
  return tokens.length > 0 || oidc !== undefined
}

/**
 * On loopback reads are open to whoever is on this machine, unless tokens or a provider are configured: then everything needs one.
 * Beyond loopback one must be configured, or a server that was meant for one machine would be everybody's.
 */
function refuseUnsafe(auth: AuthSettings, isLoopback: boolean): void {
  if (isLoopback || isConfigured(auth)) return
  throw new Fault('unsafe-bind', 'the server would listen beyond this machine without any authentication configured')
}

/** @throws Fault `file-unreadable`, `invalid-argument` for what is no certificate with its key */
async function readTls({ certFile, keyFile }: TlsFiles): Promise<{ cert: Buffer; key: Buffer }> {
  const read = async (path: string) => {
    try {
      return await readFile(path)
    } catch (cause) {
      throw new Fault('file-unreadable', `cannot read the file ${oneLine(path)}`, { cause })
    }
  }
  const tls = { cert: await read(certFile), key: await read(keyFile) }
  try {
    createSecureContext(tls)
    return tls
  } catch (cause) {
    throw new Fault('invalid-argument', `${oneLine(certFile)} and ${oneLine(keyFile)} are no certificate and its key`, {
      cause,
      fix: 'Give both in PEM, the key without a password.',
    })
  }
}

async function listen(
  app: Awaited<ReturnType<typeof createApp>>,
  { host, port }: ListenAddress,
  scheme: 'http' | 'https',
): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another program listens there' : (code ?? toFault(cause).message)
    throw new Fault('address-in-use', `cannot listen on ${host}:${port}: ${why}`, { cause })
  }
  return urlOf({ host, port: (app.server.address() as AddressInfo).port }, scheme)
}

interface Reloaded {
  readonly webhooks: Webhooks
  readonly watcher: Watcher
  readonly deliverer: Deliverer
  readonly keeper: AdvisoryKeeper
  readonly retainer: Retainer
}

async function reloadConfig(
  options: ServeOptions,
  { webhooks, watcher, deliverer, keeper, retainer }: Reloaded,
): Promise<void> {
  const config = await readConfig(options.config, options.environment)
  await webhooks.configure(config)
  keeper.configure(config)
  retainer.configure(config)
  await watcher.configure(config)
  await deliverer.configure(config.notify ?? [])
}
