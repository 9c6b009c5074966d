import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { Fault, oneLine, toFault } from '../core/fault.js'
import { Secret } from '../core/secret.js'
import { readConfig } from '../flows/config.js'
import { type Deliverer, startDelivering } from '../flows/deliver.js'
import { type AdvisoryKeeper, startKeepingAdvisories } from '../flows/keep-advisories.js'
import { openServices, type ServiceOptions } from '../flows/open.js'
import { startWatching, type Watcher } from '../flows/watch.js'
import { adminTokenPath, ensureAdminToken } from '../iam/admin-token.js'
import { allCapabilities, createAuthenticator, openOnLoopback, type TokenGrant } from '../iam/authenticate.js'
import { roles } from '../iam/capabilities.js'
import type { AuthSettings } from '../iam/settings.js'
import { createApp } from './app.js'
import { isLoopbackAddress, type ListenAddress, urlOf } from './listen-address.js'

/** What {@link serve} is made of. */
export interface ServeOptions extends ServiceOptions {
  readonly listen: ListenAddress
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
  const services = openServices({ ...options, keepsProfiles: true })
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
    const authenticate = await createAuthentication(auth, isLoopback, services.dataFolder)
    await services.store()
    const watcher = await startWatching(services, log)
    stops.push(() => watcher.stop())
    const deliverer = await startDelivering(services, log)
    stops.push(() => deliverer.stop())
    const keeper = startKeepingAdvisories(services, log, config)
    stops.push(() => keeper.stop())
    const app = await createApp({ services, log, authenticate, isLoopback, counts: watcher.counts })
    stops.push(() => app.close())
    const url = await listen(app, options.listen)
    log.info({ url }, 'listening')
    const reload = () => reloadConfig(options, watcher, deliverer, keeper)
    return { url, tokenFile: adminTokenPath(services.dataFolder), reload, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Who may do what. On loopback reads are open to whoever is on this machine, unless tokens are configured: then everything
 * needs one. Beyond loopback tokens must be configured, or a server that was meant for one machine would be everybody's.
 */
async function createAuthentication(settings: AuthSettings, isLoopback: boolean, dataFolder: string) {
  const { tokens = [] } = settings
  if (!isLoopback && tokens.length === 0) {
    throw new Fault('unsafe-bind', 'the server would listen beyond this machine without any authentication configured')
  }
  const grants: TokenGrant[] = [
    { name: 'admin', token: await ensureAdminToken(dataFolder), capabilities: allCapabilities },
  ]
  for (const { name, secretFile, role } of tokens) {
    grants.push({ name, token: await readToken(secretFile), capabilities: roles[role] })
  }
  return createAuthenticator({ grants, anonymous: isLoopback && tokens.length === 0 ? openOnLoopback : [] })
}

async function readToken(path: string): Promise<Secret> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).split(/\r?\n/)[0]?.trim() ?? ''
  } catch (cause) {
    throw new Fault('file-unreadable', `cannot read the token file ${oneLine(path)}`, { cause })
  }
  if (text.length < 16) {
    throw new Fault('invalid-config', `the token in ${oneLine(path)} is shorter than 16 characters`, {
      fix: `Make one with \`openssl rand -base64 32 > ${oneLine(path)}\`.`,
    })
  }
  return new Secret(text)
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
