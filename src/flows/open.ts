import { setMaxListeners } from 'node:events'
import { dirname, join } from 'node:path'
import type { Advisories } from '../core/advisory.js'
import { type Clock, type Random, systemClock } from '../core/clock.js'
import { Fault } from '../core/fault.js'
import type { Host } from '../core/host.js'
import { type HostProfile, parseHostProfile } from '../core/host-profile.js'
import type { Examiner } from '../registry/examine.js'
import type { Registry } from '../registry/registry.js'
import type { DigestStore } from '../store/digests/digest-store.js'
import type { Store } from '../store/store.js'
import type { Addresses, Authority } from './authority.js'
import { type Config, readConfig } from './config.js'
import { advisoriesPath, configPath, dataFolder, type Environment } from './places.js'

/** What {@link openServices} is made of. */
export interface ServiceOptions {
  readonly environment: Environment
  /** `--database`; `$TIDEMARK_DATABASE`, else `sqlite:<data>/tidemark.db` when left out. */
  readonly database?: string | undefined
  /** `--config`; the usual places when left out. */
  readonly config?: string | undefined
  /** `--store`; `$TIDEMARK_STORE`, else `file:<data>/check.json` when left out. */
  readonly digestStore?: string | undefined
  readonly clock?: Clock
  readonly random?: Random
  /** Whether the store holds what was learned about hosts: for whoever has it open anyway. */
  readonly keepsProfiles?: boolean
  /** What clients call this server; without it no tokens can be made here. */
  readonly addresses?: () => Addresses
}

/** Everything that flows use, each made when it is first asked for: a `check` never loads the database. */
export interface Services {
  readonly clock: Clock
  readonly random: Random
  readonly environment: Environment
  readonly dataFolder: string
  /** Where the configuration lies: what it names by a relative path is there. */
  readonly configFolder: string
  /** `HOST[:PORT]` of the registry that we serve ourselves; null where no server runs. */
  ownRegistry(): string | null
  /** @throws Fault `file-unreadable`, `invalid-config` */
  config(): Promise<Config>
  registry(): Promise<Registry>
  /** @throws Fault `store-unavailable`, `store-damaged`, `store-newer` */
  store(): Promise<Store>
  /** A registry client of its own, which keeps nothing of what it learns; who asks closes its registry. */
  examiner(): Promise<Examiner>
  /**
   * What the store has learned about a host, without making a store; null where there is nothing.
   * @throws Fault `store-unavailable`, `store-damaged`
   */
  storedHost(host: Host): Promise<{ readonly profile: HostProfile; readonly pausedUntil: number | null } | null>
  /** The digests that `check` compares with. */
  digests(): Promise<DigestStore>
  /**
   * The advisory data as it is now; whoever asks closes it. What is judged together is asked of one.
   * @throws Fault `no-advisory-data`, `advisories-damaged`, `store-newer`
   */
  advisories(): Promise<Advisories>
  /**
   * Who may do what, and who gets which token.
   * @throws Fault `file-unreadable`, `invalid-config` for token files
   */
  authority(): Promise<Authority>
  /** Closes what was made. */
  close(): Promise<void>
}

/** Makes nothing yet. */
export function openServices(options: ServiceOptions): Services {
  const { environment, clock = systemClock, random = Math.random } = options
  const folder = dataFolder(environment)
  const configFolder = dirname(options.config ?? configPath(environment).path)
  const config = once(() => readConfig(options.config, environment))
  const url = options.database ?? (environment.TIDEMARK_DATABASE || `sqlite:${join(folder, 'tidemark.db')}`)
  const store = once(async () => {
    const { openStore } = await import('../store/open.js')
    return await openStore({ url, clock })
  })
  const registry = once(async () => {
    const { registries = {}, network = {} } = await config()
    const { createRegistry } = await import('../registry/registry.js')
    if (!options.keepsProfiles) return createRegistry({ clock, random, environment, registries, network })
    const { hosts } = await store()
    const profiles = new Map<Host, HostProfile>()
    for (const { host, profile } of await hosts.load()) profiles.set(host, parseHostProfile(profile))
    const onProfile = (host: Host, profile: HostProfile) => {
      // Only a convenience for the next start: a store that fails will tell so where it matters.
      hosts.save(host, profile).catch(() => undefined)
    }
    return createRegistry({ clock, random, environment, registries, network, profiles, onProfile })
  })
  const digests = once(async () => {
    const { openDigestStore } = await import('../store/digests/list.js')
    const digestUrl = options.digestStore ?? (environment.TIDEMARK_STORE || `file:${join(folder, 'check.json')}`)
    return openDigestStore(digestUrl, { clock, environment })
  })
  const holder = once(async () => {
    const [{ holdSnapshot }, { openSqliteReadOnly }] = await Promise.all([
      import('../vuln/snapshot-holder.js'),
      import('../store/sqlite-open.js'),
    ])
    const { advisories = {} } = await config()
    return holdSnapshot(advisoriesPath(advisories, folder), openSqliteReadOnly)
  })
  const advisories = async () => (await holder()).current()
  const authority = once(async () => {
    const [{ createAuthority }, { readStaticTokens }] = await Promise.all([
      import('./authority.js'),
      import('./static-tokens.js'),
    ])
    const statics = await readStaticTokens((await config()).auth ?? {}, folder)
    const { addresses = nowhere } = options
    return await createAuthority({ clock, random, environment, config, store }, { statics, addresses })
  })
  return {
    ...{ clock, random, environment, dataFolder: folder, configFolder, config },
    ownRegistry: () => options.addresses?.().registry ?? null,
    ...{ registry, store, digests, advisories, authority },
    async examiner() {
      const { registries = {}, network = {} } = await config()
      const { createExaminer } = await import('../registry/examine.js')
      return createExaminer({ clock, random, environment, registries, network })
    },
    async storedHost(host) {
      const { readStoredHost } = await import('../store/open.js')
      const stored = await readStoredHost(url, host)
      return stored === null ? null : { ...stored, profile: parseHostProfile(stored.profile) }
    },
    async close() {
      if (authority.isMade()) await authority().then((made) => made.close(), ignored)
      if (holder.isMade()) await holder().then((made) => made.close(), ignored)
      if (digests.isMade()) await digests().then((made) => made.close(), ignored)
      if (registry.isMade()) await registry().then((made) => made.close(), ignored)
      if (store.isMade()) await store().then((made) => made.close(), ignored)
    },
  }
}

/** A signal that thousands of requests may listen to without Node warning of a leak. */
export function createAbort(): AbortController {
  const abort = new AbortController()
  setMaxListeners(0, abort.signal)
  return abort
}

/** A command that runs on the database itself has no name that a token could carry. */
function nowhere(): never {
  throw new Fault('invalid-argument', 'tokens are made by a server', {
    fix: 'Start `tidemark serve`, and give its address with --server.',
  })
}

/** What could not be made has been told to whoever asked for it; there is nothing to close. */
function ignored(): void {}

function once<Value>(make: () => Promise<Value>): (() => Promise<Value>) & { isMade(): boolean } {
  let made: Promise<Value> | undefined
  const get = () => {
    made ??= make()
    return made
  }
  return Object.assign(get, { isMade: () => made !== undefined })
}
