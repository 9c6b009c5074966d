import type { Cost } from '../core/cost.js'
import type { Digest } from '../core/digest.js'
import { readManifest } from '../core/manifest.js'
import { formatRepository, type Reference, type Repository } from '../core/reference.js'
import { SingleFlight } from '../core/single-flight.js'
import type { Call } from '../registry/registry.js'
import { manifestRecordOf } from './manifest-record.js'
import type { Services } from './open.js'

/** A manifest as it is passed on: the bytes of the registry that holds it. */
export interface ServedManifest {
  readonly digest: Digest
  /** As the manifest, or else its registry, calls it; empty when neither does. */
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** How something is read for somebody else. */
export interface ServeCall {
  readonly cost: Cost
  readonly signal: AbortSignal
}

/**
 * How long a pause of the registry is waited out for somebody who waits in turn: what asks for more is passed on, so that the
 * client knows when to come back.
 */
export const serveMaxWaitMs = 3_000

/** Reads the manifests of repositories for others. See {@link createManifestServer}. */
export type ManifestServer = (reference: Reference, call: ServeCall) => Promise<ServedManifest>

/**
 * Reads manifests for others: a tag costs a HEAD at its registry, a digest that one of its tags was seen at costs nothing and
 * is there after the registry forgot it, any other costs a HEAD, or a GET the first time.
 *
 * Throws what the registry throws: Fault `tag-not-found`, `repository-not-found`, `denied`, `rate-limited`, `unreachable` …
 */
export function createManifestServer(services: Services): ManifestServer {
  const fetches = new SingleFlight<string, ServedManifest>()
  return async (reference, { cost, signal }) => {
    const call: Call = { cost, signal, priority: 'interactive', maxWaitMs: serveMaxWaitMs }
    const { manifests } = await services.store()
    const registry = await services.registry()
    const isPointedAt = reference.digest === undefined
    const digest = reference.digest ?? (await registry.head(reference, call)).digest
    const known = await manifests.get(digest)
    if (known !== null) {
      if (!isPointedAt && !(await manifests.isFrom(reference, digest))) {
        // Our bytes may come from another repository, which the caller may not read.
        await registry.head({ host: reference.host, path: reference.path, digest }, call)
      }
      return { digest, ...known }
    }
    const key = `${formatRepository(reference)}@${digest}`
    return await fetches.run(
      key,
      (shared) => fetchAndKeep(reference, digest, services, { ...call, signal: shared }),
      signal,
    )
  }
}

async function fetchAndKeep(
  { host, path }: Repository,
  digest: Digest,
  services: Services,
  call: Call,
): Promise<ServedManifest> {
  const registry = await services.registry()
  const fetched = await registry.manifest({ host, path, digest }, { ...call, priority: 'manifest' })
  const record = manifestRecordOf(digest, fetched, readManifest(fetched.bytes, fetched.mediaType))
  const { manifests } = await services.store()
  await manifests.put(record)
  return { digest, mediaType: record.mediaType, bytes: record.bytes }
}
