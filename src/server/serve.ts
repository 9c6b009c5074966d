import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Fault, toFault } from '../core/fault.js'
import { addressesOf } from '../flows/authority.js'
import { readConfig } from '../flows/config.js'
import { type Deliverer, startDelivering } from '../flows/deliver.js'
import { type AdvisoryKeeper, startKeepingAdvisories } from '../flows/keep-advisories.js'
import { openServices, type ServiceOptions } from '../flows/open.js'
import { startWatching, type Watcher } from '../flows/watch.js'
import { adminTokenPath, ensureAdminToken } from '../iam/admin-token.js'
import type { AuthSettings } from '../iam/settings.js'
import { createApp } from './app.js'
import { isLoopbackAddress, type ListenAddress, urlOf } from './listen-address.js'

/** What {@link serve} is made of. */
export interface ServeOptions extends ServiceOptions {
  readonly listen: ListenAddress
  /** What clients call this server: issuer and audience of its tokens; `http://LISTEN` when left out. No slash at the end. */
  readonly publicUrl?: string | undefined
  /** Where the log goes: one JSON object a line. */
  readonly log: NodeJS.WritableStream
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
  let url = options.publicUrl ?? urlOf(options.listen)
  const services = openServices({ ...options, keepsProfiles: true, addresses: () => addressesOf(url) })
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
    const { auth = {} } = config
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
    const isOpen = isLoopback && !isConfigured(auth)
    const app = await createApp({ services, log, authority, isLoopback, isOpen, counts: watcher.counts })
    stops.push(() => app.close())
    const listening = await listen(app, options.listen)
    url = options.publicUrl ?? listening
    log.info({ url: listening }, 'listening')
    const reload = () => reloadConfig(options, watcher, deliverer, keeper)
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

async function listen(app: Awaited<ReturnType<typeof createApp>>, { host, port }: ListenAddress): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'another program listens there' : (code ?? toFault(cause).message)
    throw new Fault('address-in-use', `cannot listen on ${host}:${port}: ${why}`, { cause })
  }
  return urlOf({ host, port: (app.server.address() as AddressInfo).port })
}

async function reloadConfig(
  options: ServeOptions,
  watcher: Watcher,
  deliverer: Deliverer,
  keeper: AdvisoryKeeper,
): Promise<void> {
  const config = await readConfig(options.config, options.environment)
  keeper.configure(config)
  await watcher.configure(config)
  await deliverer.configure(config.notify ?? [])
}
