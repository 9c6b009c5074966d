import type { EvidenceWish } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import type { LayerFacts } from '../core/image-facts.js'
import type { Inventory } from '../core/inventory.js'
import { type AttachedDocument, readAttachedVex } from '../image/attached-sbom.js'
import { readSbomFile } from '../image/sbom/read-sbom-file.js'
import type { SourceImage } from '../image/sources/image-source.js'
import type { ImageTree } from '../image/tree.js'
import { attachedInventory } from './attached-sbom.js'
import type { Services } from './open.js'
import { type ImageCall, type ImageQuestion, openImage } from './open-image.js'
import { storedInventory } from './stored-inventory.js'

/** What is known of an image once it was read. */
export interface AnalyzedImage {
  readonly inventory: Inventory
  /** The configuration's bytes; empty for a folder. */
  readonly config: Buffer
  /** From the lowest up; empty for a folder. */
  readonly layers: readonly LayerFacts[]
  /** Of the index that it was chosen from; null where there is none. */
  readonly platforms: readonly string[] | null
  /** VEX documents that are attached to it: only where they were asked for. */
  readonly attachedVex?: readonly AttachedDocument[]
  /** The merged files: only where they were asked for. */
  readonly tree: ImageTree | null
}

/** How an image is analyzed. */
export interface AnalyzeCall extends ImageCall {
  /** `auto` when left out. */
  readonly evidence?: EvidenceWish | undefined
  /** Whether every file is wanted, with the digest of its content: costs a quarter more time. */
  readonly wantsFiles?: boolean | undefined
  /** Whether VEX documents that are attached to the image are read too: costs requests. */
  readonly wantsVex?: boolean | undefined
  /** Called after each layer. */
  onProgress?(done: number, of: number): void
}

const sbomScheme = 'sbom:'
/**
 * Says which packages are in an image. A stored inventory is taken as it is; of layers that were read before, only what they
 * left is read; the others are streamed, once.
 * @throws Fault `damaged-layer`, `unsupported-media`, `too-large`, and what opening and reading throw
 */
export async function analyzeImage(
  question: ImageQuestion,
  services: Services,
  call: AnalyzeCall,
): Promise<AnalyzedImage> {
  if (question.source.startsWith(sbomScheme)) {
    const inventory = await readSbomFile(question.source.slice(sbomScheme.length))
    return { inventory, config: Buffer.alloc(0), layers: [], platforms: null, tree: null }
  }
  const image = await openImage(question, services, call)
  try {
    return await analyzeOpened(image, services, call)
  } finally {
    await image.close()
  }
}

/** The same for an image that is open, and stays so. Throws as {@link analyzeImage}. */
export async function analyzeOpened(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
  const analyzed = await analyzeParts(image, services, call)
  const { attached, digest } = image
  if (!call.wantsVex || attached === undefined || digest === null) return analyzed
  return { ...analyzed, attachedVex: await readAttachedVex(attached, { digest, warn: call.warn }) }
}

async function analyzeParts(image: SourceImage, services: Services, call: AnalyzeCall): Promise<AnalyzedImage> {
  const wish = call.wantsFiles ? 'layers' : (call.evidence ?? 'auto')
  const known = call.wantsFiles || wish === 'sbom' ? null : await storedInventory(image, services)
  if (known !== null) return known
  if (wish !== 'layers' && !(wish === 'auto' && (await knowsLayers(image, services)))) {
    const inventory = await attachedInventory(image, wish === 'sbom', services, call)
    if (inventory !== null) return analyzedBySbom(inventory, image)
    if (wish === 'sbom') throw new Fault('sbom-not-found', `no SBOM is attached to ${image.reference}`)
  }
  // Most images that are asked for again are known: what reads layers is loaded for the others.
  const { readImage } = await import('./read-image.js')
  return await readImage(image, services, call)
}

/** Whether reading the layers of an image costs no byte. */
export async function knowsLayers(image: SourceImage, services: Services): Promise<boolean> {
  if (image.layers.length === 0) return false
  const digests = image.layers.map(({ digest }) => digest)
  if (!digests.every((digest) => digest !== null)) return false
  const { analyses } = await services.store()
  const { matcher } = await import('./readers.js')
  return await analyses.knowsLayers(digests, matcher.version)
}

/** What is known of an image whose packages an SBOM named. */
export function analyzedBySbom(inventory: Inventory, image: SourceImage): AnalyzedImage {
  const layers = image.layers.map(({ digest, diffId, sizeBytes }) => {
    return { digest, diffId, sizeBytes, unpackedBytes: null }
  })
  return { inventory, config: image.config, layers, platforms: image.platforms ?? null, tree: null }
}
