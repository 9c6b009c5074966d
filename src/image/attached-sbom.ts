import type { Digest } from '../core/digest.js'
import { isFault } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import { limits } from '../core/limits.js'
import { type Descriptor, type ImageManifest, parseManifest } from '../core/manifest.js'
import { readSbom } from './sbom/read-sbom.js'

/** What stands beside an image, and may hold an SBOM. */
export interface AttachedManifests {
  /**
   * Attestations that the index names for this image: children with `vnd.docker.reference.type: attestation-manifest` and the
   * image's digest as `vnd.docker.reference.digest` (BuildKit, "Image Attestation Storage").
   */
  readonly named: readonly Descriptor[]
  /** Others that must be asked for: referrers, and the tags that cosign makes of digests. Absent where there is nobody to ask. */
  search?(): Promise<readonly Descriptor[]>
  /** The bytes of a manifest. Throws what the registry or the disk throws. */
  manifest(descriptor: Descriptor): Promise<Buffer>
  /** The bytes of a blob, compared with its digest. */
  blob(descriptor: Descriptor, maxBytes: number): Promise<Buffer>
}

const referenceType = 'vnd.docker.reference.type'
const referenceDigest = 'vnd.docker.reference.digest'
/** Where a layer's kind of statement stands: BuildKit's, cosign's, and that of sigstore bundles. */
const predicateKeys = ['in-toto.io/predicate-type', 'predicateType', 'dev.sigstore.bundle.predicateType']
/** SPDX and CycloneDX predicates, with or without a version behind them (in-toto attestation, "Predicate types"). */
const sbomPredicate = /^https:\/\/(?:spdx\.dev\/Document|cyclonedx\.org\/bom)(?:\/|$)/
const vexPredicate = /^https:\/\/openvex\.dev\/ns(?:\/|$)/
const sbomMediaTypes = /^(?:application\/(?:spdx|vnd\.cyclonedx)\+json|text\/spdx\+json)$/
const statementMediaTypes: ReadonlySet<string> = new Set([
  'application/vnd.in-toto+json',
  'application/vnd.dsse.envelope.v1+json',
])
const bundleMediaTypes = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v[\d.]+)?\+json(?:;.*)?$/
/** Statements about one image: provenance, an SBOM for each build stage, scans. Real ones have a handful. */
const maxTried = 16

/** The attestations that an index names for the image with `digest`. */
export function attestationsOf(children: readonly Descriptor[], digest: Digest): readonly Descriptor[] {
  return children.filter(
    ({ annotations }) =>
      annotations.get(referenceType) === 'attestation-manifest' && annotations.get(referenceDigest) === digest,
  )
}

/** What an SBOM is taken for. */
export interface AttachedQuestion {
  /** As it was asked for; stands in the inventory. */
  readonly reference: string
  readonly digest: Digest
  readonly platform: string | null
  /** Whether what nobody in hand names is looked for too, at the cost of requests. */
  readonly mayAsk: boolean
  warn(message: string): void
}

/**
 * The packages of an SBOM that is attached to an image; null when there is none that can be used. It is taken only when it
 * says that it is about this very manifest: by the subject of its statement, or where it stands bare, by that of the manifest
 * that holds it. Signatures are not looked at. Of several the first is taken, those of the index before others.
 * @throws what reading throws; a document that is no SBOM, or is about another image, is passed over with a warning
 */
export async function readAttachedSbom(
  attached: AttachedManifests,
  question: AttachedQuestion,
): Promise<Inventory | null> {
  const found = await fromManifests(attached, attached.named, question)
  if (found !== null || !question.mayAsk || attached.search === undefined) return found
  return await fromManifests(attached, await attached.search(), question)
}

/** Documents whose predicate is VEX (OpenVEX 0.2.0, "Attesting"), with their digests as names. */
export async function readAttachedVex(
  attached: AttachedManifests,
  question: Pick<AttachedQuestion, 'digest' | 'warn'>,
): Promise<readonly AttachedDocument[]> {
  const found: AttachedDocument[] = []
  const others = (await attached.search?.()) ?? []
  for (const descriptor of [...attached.named, ...others]) {
    const manifest = parseManifest(await attached.manifest(descriptor), descriptor.mediaType || null)
    if (manifest.kind !== 'image') continue
    for (const layer of manifest.layers.filter((one) =>
      predicatesOf(one, manifest).some((said) => vexPredicate.test(said)),
    )) {
      if (found.length === maxTried) {
        question.warn(
          `more than ${maxTried} VEX documents are attached to ${question.digest}: the others were not read`,
        )
        return found
      }
      found.push({ name: layer.digest, bytes: await attached.blob(layer, limits.vexBytes) })
    }
  }
  return found
}

/** A document that was attached to an image. */
export interface AttachedDocument {
  readonly name: string
  readonly bytes: Buffer
}

async function fromManifests(
  attached: AttachedManifests,
  manifests: readonly Descriptor[],
  question: AttachedQuestion,
): Promise<Inventory | null> {
  let tried = 0
  for (const descriptor of manifests) {
    const manifest = parseManifest(await attached.manifest(descriptor), descriptor.mediaType || null)
    if (manifest.kind !== 'image') continue
    for (const layer of manifest.layers.filter((one) => mayHoldSbom(one, manifest))) {
      if (++tried > maxTried) {
        question.warn(`more than ${maxTried} documents are attached to ${question.digest}: the others were not read`)
        return null
      }
      const inventory = await readLayer(attached, layer, manifest, question)
      if (inventory !== null) return inventory
    }
  }
  return null
}

/** By what annotations and media types say, so that provenance and signatures are not fetched. */
function mayHoldSbom(layer: Descriptor, manifest: ImageManifest): boolean {
  const said = predicatesOf(layer, manifest)
  if (said.length > 0) return said.some((predicate) => sbomPredicate.test(predicate))
  return (
    sbomMediaTypes.test(layer.mediaType) ||
    statementMediaTypes.has(layer.mediaType) ||
    bundleMediaTypes.test(layer.mediaType)
  )
}

function predicatesOf(layer: Descriptor, manifest: ImageManifest): readonly string[] {
  return predicateKeys.flatMap((key) => layer.annotations.get(key) ?? manifest.annotations.get(key) ?? [])
}

async function readLayer(
  attached: AttachedManifests,
  layer: Descriptor,
  manifest: ImageManifest,
  { reference, digest, platform, warn }: AttachedQuestion,
): Promise<Inventory | null> {
  const isBound = manifest.subject?.digest === digest
  try {
    const bytes = await attached.blob(layer, limits.sbomBytes)
    const inventory = readSbom(bytes, { reference, evidence: 'sbom', subject: digest, isBound })
    // What the document says of itself is not what was asked for.
    return { ...inventory, image: { reference, digest, platform } }
  } catch (error) {
    if (!isFault(error, 'unsupported-media', 'too-large')) throw error
    warn(`an attached document (${layer.digest}) was passed over: ${error.message}`)
    return null
  }
}
