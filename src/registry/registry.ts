import { setMaxListeners } from 'node:events'
import type { Clock, Random } from '../core/clock.js'
import type { Digest } from '../core/digest.js'
import type { HistoryClaim } from '../core/history.js'
import { type Host, parseHost } from '../core/host.js'
import type { HostProfile } from '../core/host-profile.js'
import type { Descriptor } from '../core/manifest.js'
import type { Quota } from '../core/quota.js'
import type { Reference, Repository, TagReference } from '../core/reference.js'
import type { TagAssignment } from '../core/tag-assignment.js'
import { type AddressPolicy, parseNetworks } from '../http/guard.js'
import type { Timeouts } from '../http/pool.js'
import { createHttp, type Http } from '../http/send.js'
import { Access } from './access.js'
import { type BlobRange, type BlobReference, blob, blobSize, type OpenedBlob, openBlob } from './blob.js'
import type { BulkContext } from './bulk/bulk-list.js'
import { bulkLists, isListed } from './bulk/list.js'
import type { CredentialContext } from './credentials/credential.js'
import { credentialSources } from './credentials/list.js'
import { questionSender } from './credentials/question.js'
import { type Head, head } from './head.js'
import { kindByName, type RegistryKind } from './kind.js'
import { defaultConcurrency } from './lanes.js'
import { type FetchedManifest, manifest } from './manifest.js'
import { quayHistory } from './quay-history.js'
import { referrers } from './referrers.js'
import type { Call } from './request.js'
import type { NetworkSettings, RegistriesSettings, RegistrySettings } from './settings.js'
import { tagHistory } from './tag-history.js'
import { tags } from './tags.js'

export type { BlobRange, OpenedBlob } from './blob.js'
export type { Head } from './head.js'
export { defaultConcurrency } from './lanes.js'
export type { FetchedManifest } from './manifest.js'
export type { Call } from './request.js'

/** Every registry, spoken to at the lowest cost of knowing. */
export interface Registry {
  /**
   * What a tag or digest points at: one HEAD on a kept connection. A GET only where the registry gives no digest, refuses
   * HEAD, or answers 404, whose body alone says what is missing.
   * @throws Fault `tag-not-found`, `repository-not-found`, `denied`, `rate-limited`, `unreachable`, `timeout`, `tls`, `broken-answer` …
   */
  head(reference: Reference, call: Call): Promise<Head>
  /** The bytes that a tag or digest points at, hashed and compared. Throws as {@link Registry.head}. */
  manifest(reference: Reference, call: Call): Promise<FetchedManifest>
  /** The tags of a repository, page by page, in the registry's order. Throws as {@link Registry.head}. */
  tags(repository: Repository, call: Call): AsyncIterable<readonly string[]>
  /**
   * What the registry's own API says that the tags of a repository point at, page by page: far fewer requests than a HEAD for
   * each, and only a hint, which a HEAD proves. Null where there is no such list, or none for who we are.
   * @throws Fault as {@link Registry.head}, and when it is read. `denied` and `unsupported`: the API has none for us, which says
   *   nothing about the registry or the repository; never `repository-not-found`
   */
  listDigests(repository: Repository, call: Call): Promise<AsyncIterable<readonly TagAssignment[]> | null>
  /**
   * What the registry itself says a tag has pointed at, oldest first; null where it keeps no such history, or not for us.
   * Throws as {@link Registry.head}.
   */
  tagHistory(reference: TagReference, call: Call): Promise<readonly HistoryClaim[] | null>
  /** What is attached to a manifest: the referrers API, or the tag that stands in for it. Throws as {@link Registry.head}. */
  referrers(repository: Repository, digest: Digest, call: Call): Promise<readonly Descriptor[]>
  /**
   * The bytes of a blob, streamed: who reads compares them with the digest. Throws as {@link Registry.head}, when it is read.
   */
  blob(repository: Repository, blob: BlobReference, call: Call): AsyncIterable<Buffer>
  /**
   * Opens a blob, or a part of it, and says how large it is before the first byte.
   * @throws Fault `blob-not-found`, `invalid-range`, and as {@link Registry.head}
   */
  openBlob(repository: Repository, digest: Digest, range: BlobRange | null, call: Call): Promise<OpenedBlob>
  /** How many bytes a blob has; null where the registry does not say. Throws as {@link Registry.openBlob}. */
  blobSize(repository: Repository, digest: Digest, call: Call): Promise<number | null>
  /** Whose software `host` is, by the configuration or its name; null where neither tells. */
  kindOf(host: Host): RegistryKind | null
  /** Whether there is a kind of list for `host`; whether it is for us, {@link Registry.listDigests} tells. */
  hasLists(host: Host): boolean
  /** What was learned about `host`. */
  profile(host: Host): HostProfile
  /** Remembers what was learned about `host` by comparing answers. */
  learn(host: Host, learned: HostProfile): void
  /** What `host` last said of its quota for manifests; null when it never did. */
  quota(host: Host): Quota | null
  /** Until when nothing is sent to `host`, in milliseconds since the epoch; null when it is open. */
  pausedUntil(host: Host): number | null
  close(): void
}

/** What {@link createRegistry} is made of. */
export interface RegistryOptions {
  readonly clock: Clock
  readonly random: Random
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly registries?: RegistriesSettings
  readonly network?: NetworkSettings
  /** What was learned before. */
  readonly profiles?: ReadonlyMap<Host, HostProfile>
  /** Called when something is learned about a host, so that it can be kept. */
  readonly onProfile?: (host: Host, profile: HostProfile) => void
  readonly timeouts?: Timeouts
}

/**
 * Opens nothing yet: connections come with the first call.
 * @throws Fault `invalid-config`, `invalid-reference` for settings that are none
 */
export function createRegistry(options: RegistryOptions): Registry {
  return registryOn(openRegistries(options))
}

/** What a {@link Registry} stands on. */
export interface OpenedRegistries extends BulkContext {
  readonly http: Http
  readonly policy: AddressPolicy
}

/** See {@link createRegistry}, which throws as this does. */
export function openRegistries(options: RegistryOptions): OpenedRegistries {
  const { clock, random, environment, registries = {}, network = {}, timeouts } = options
  const byHost = new Map<Host, RegistrySettings>()
  for (const [name, entry] of Object.entries(registries)) byHost.set(parseHost(name), entry)
  const settingsOf = (host: Host) => byHost.get(host) ?? {}
  const widest = Math.max(defaultConcurrency, ...[...byHost.values()].map((entry) => entry.concurrency ?? 0))
  const allow = parseNetworks(network.allow ?? [])
  const http = createHttp({ clock, random, environment, allow, connections: widest, ...(timeouts && { timeouts }) })
  const context: CredentialContext = {
    ...{ clock, environment, settingsOf, send: questionSender(http, clock, random, environment) },
    kindOf: (host) => settingsOf(host).kind ?? kindByName(host),
  }
  const access = new Access({
    ...{ http, clock, random, environment, settingsOf },
    sources: credentialSources(context),
    profiles: new Map(options.profiles),
    onProfile: options.onProfile ?? (() => undefined),
  })
  return { ...context, access, http, policy: { namedBy: 'user', allow } }
}

/** A {@link Registry} on what was opened; it closes that. */
export function registryOn(opened: OpenedRegistries): Registry {
  const { access, http } = opened
  const listDigests = bulkLists(opened)
  return {
    head: (reference, call) => head(access, reference, quiet(call)),
    manifest: (reference, call) => manifest(access, reference, quiet(call)),
    tags: (repository, call) => tags(access, repository, quiet(call)),
    listDigests: (repository, call) => listDigests(repository, quiet(call)),
    tagHistory: (reference, call) =>
      opened.kindOf(reference.host) === 'quay'
        ? quayHistory(opened, reference, quiet(call))
        : tagHistory(access, reference, quiet(call)),
    referrers: (repository, digest, call) => referrers(access, repository, digest, quiet(call)),
    blob: (repository, reference, call) => blob(access, repository, reference, quiet(call)),
    openBlob: (repository, digest, range, call) => openBlob(access, repository, digest, range, quiet(call)),
    blobSize: (repository, digest, call) => blobSize(access, repository, digest, quiet(call)),
    kindOf: opened.kindOf,
    hasLists: (host) => isListed(opened.kindOf(host)),
    profile: (host) => access.profile(host),
    learn: (host, learned) => access.learn(host, learned),
    quota: (host) => access.quota(host),
    pausedUntil: (host) => access.pausedUntil(host),
    close: () => http.close(),
  }
}

/** One signal may stand over thousands of requests; Node would warn of a leak after ten. */
function quiet(call: Call): Call {
  if (call.signal !== undefined) setMaxListeners(0, call.signal)
  return call
}
