import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { SnapshotIdentity } from '../core/advisory.js'
import type { Cost } from '../core/cost.js'
import { digestAlgorithm } from '../core/digest.js'
import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { type Descriptor, parseManifest } from '../core/manifest.js'
import { formatReference, parseReference, type Reference } from '../core/reference.js'
import { snapshotPath, whileBuilding } from './advisory-files.js'
import type { Services } from './open.js'
import { checkSnapshot, moveInPlace } from './put-snapshot.js'

/** A snapshot as a layer of an OCI artifact, as it is or packed by gzip. */
const snapshotType = 'application/vnd.tidemark.advisories.v1+sqlite'
const packedTypes: ReadonlySet<string> = new Set([`${snapshotType}+gzip`, `${snapshotType};compression=gzip`])

/** How a pull goes. */
export interface PullCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

/**
 * Fetches a snapshot from a registry and puts it in place of the one that is there.
 * @param text a reference of an OCI artifact with one layer of the media type {@link snapshotType}
 * @throws Fault as `Registry.manifest`; `unsupported-media` where it is no such artifact, `damaged-layer` where its bytes are not
 *   what the digest says, `advisories-damaged`, `store-newer`, `store-unavailable`, `disk-full`
 */
export async function pullAdvisories(text: string, services: Services, call: PullCall): Promise<SnapshotIdentity> {
  const reference = parseReference(text)
  const registry = await services.registry()
  const path = await snapshotPath(services)
  const { bytes, mediaType } = await registry.manifest(reference, call)
  const layer = layerOf(parseManifest(bytes, mediaType), reference)
  return await whileBuilding(path, services, async () => {
    const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`
    try {
      await save(layer, reference, temporary, services, call)
      const identity = checkSnapshot(temporary)
      moveInPlace(temporary, path)
      return identity
    } finally {
      rmSync(temporary, { force: true })
    }
  })
}

function layerOf(manifest: ReturnType<typeof parseManifest>, reference: Reference): Descriptor {
  const layers = manifest.kind === 'image' ? manifest.layers : []
  const layer = layers.find(({ mediaType }) => mediaType === snapshotType || packedTypes.has(mediaType))
  if (layer !== undefined) return layer
  throw new Fault('unsupported-media', `${formatReference(reference)} holds no advisory data`, {
    fix: `Push a snapshot (\`tidemark db export\`) as an OCI artifact with a layer of the type ${snapshotType}.`,
  })
}

/** Hashed as it comes, before gzip sees it. */
async function save(
  { digest, sizeBytes, mediaType }: Descriptor,
  reference: Reference,
  to: string,
  services: Services,
  call: PullCall,
): Promise<void> {
  const what = formatReference(reference)
  if (sizeBytes > limits.advisoryFileBytes) {
    throw new Fault('too-large', `the advisory data of ${what} is larger than ${limits.advisoryFileBytes} bytes`)
  }
  const registry = await services.registry()
  const hash = createHash(digestAlgorithm(digest))
  let bytes = 0
  let unpackedBytes = 0
  const fetched = async function* () {
    for await (const chunk of registry.blob(reference, { digest, sizeBytes }, { ...call, priority: 'blob' })) {
      hash.update(chunk)
      bytes += chunk.length
      call.onProgress?.(`${(bytes / 1e6).toFixed(1)} of ${(sizeBytes / 1e6).toFixed(1)} MB`)
      yield chunk
    }
  }
  const bounded = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      unpackedBytes += chunk.length
      if (unpackedBytes > limits.advisoryFileBytes) {
        throw new Fault('too-large', `the advisory data of ${what} is larger than ${limits.advisoryFileBytes} bytes`)
      }
      yield chunk
    }
  }
  const file = createWriteStream(to, { flags: 'wx', mode: 0o644 })
  try {
    if (packedTypes.has(mediaType)) await pipeline(fetched, createGunzip(), bounded, file)
    else await pipeline(fetched, bounded, file)
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error
    throw new Fault('damaged-layer', `the advisory data of ${what} is damaged: it is no whole gzip`, { cause: error })
  }
  const found = hash.digest('hex')
  if (digest.endsWith(`:${found}`)) return
  throw new Fault('damaged-layer', `the advisory data of ${what} is not what its digest ${digest} says`)
}
