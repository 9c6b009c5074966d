import type { Digest } from '../core/digest.js'
import type { LayerFacts } from '../core/image-facts.js'
import type { ImageIdentity, Inventory } from '../core/inventory.js'
import { formatPlatform } from '../core/platform.js'
import type { SourceImage } from '../image/sources/image-source.js'
import { analysisVersion } from './analysis-version.js'
import type { AnalyzedImage } from './analyze-image.js'
import type { Services } from './open.js'

interface InventoryDocument {
  readonly inventory: Omit<Inventory, 'image'>
  readonly layers: readonly LayerFacts[]
}

/** The inventory that these readers made of the layers of a manifest, with nothing asked of anybody; null when they did not. */
export async function storedInventoryOf(digest: Digest, services: Services): Promise<Inventory | null> {
  const document = await storedDocument(digest, services)
  return document === null ? null : { image: { reference: digest, digest, platform: null }, ...document.inventory }
}

async function storedDocument(digest: Digest, services: Services): Promise<InventoryDocument | null> {
  const { analyses } = await services.store()
  const bytes = await analyses.document(digest, analysisVersion)
  return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as InventoryDocument)
}

/** The same for an image that is open, as it is reported. */
export async function storedInventory(image: SourceImage, services: Services): Promise<AnalyzedImage | null> {
  const document = image.digest === null ? null : await storedDocument(image.digest, services)
  if (document === null) return null
  return {
    inventory: { image: identityOf(image), ...document.inventory },
    config: image.config,
    layers: document.layers,
    platforms: image.platforms ?? null,
    tree: null,
  }
}

/** Keeps what the readers of today made of the layers of a manifest. */
export async function storeInventory(digest: Digest, document: InventoryDocument, services: Services): Promise<void> {
  const { analyses } = await services.store()
  await analyses.putDocument(digest, analysisVersion, Buffer.from(JSON.stringify(document)))
}

/** What a report calls an image. */
export function identityOf({ reference, digest, platform }: SourceImage): ImageIdentity {
  return { reference, digest, platform: platform === null ? null : formatPlatform(platform) }
}
