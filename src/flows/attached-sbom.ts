import { isFault } from '../core/fault.js'
import type { Inventory } from '../core/inventory.js'
import { formatPlatform } from '../core/platform.js'
import { readAttachedSbom } from '../image/attached-sbom.js'
import type { SourceImage } from '../image/sources/image-source.js'
import type { Services } from './open.js'
import type { ImageCall } from './open-image.js'

/** Raised when attached SBOMs are read better, or the document of an inventory changes. */
const readerVersion = 'attached-sbom:1'

/** A document as it is stored. */
type StoredDocument = Omit<Inventory, 'image'> & { readonly none?: false }
/** That there is none, so that it is not looked for each time. */
interface NoDocument {
  readonly none: true
}

/**
 * The packages of an SBOM attached to an image; null when it has none that can be used.
 *
 * @param mayAsk whether referrers and tags are asked for one; else only what the index in hand names is taken, and of that only
 * what is whole and knows its distribution: a list with holes would be read as "not there"
 * @throws what the registry throws, except that a document that is gone counts as none
 */
export async function attachedInventory(
  image: SourceImage,
  mayAsk: boolean,
  services: Services,
  call: ImageCall,
): Promise<Inventory | null> {
  const { attached, digest, reference } = image
  if (attached === undefined || digest === null) return null
  if (attached.named.length === 0 && !mayAsk) return null
  const identity = { reference, digest, platform: image.platform === null ? null : formatPlatform(image.platform) }
  const { analyses } = await services.store()
  const readers = mayAsk ? `${readerVersion}+asked` : readerVersion
  const stored = await analyses.document(digest, readers)
  if (stored !== null) {
    const document = JSON.parse(Buffer.from(stored).toString('utf8')) as StoredDocument | NoDocument
    if (document.none !== true) return { ...document, image: identity }
    // What the index names does not change; what others attach may come later.
    if (!mayAsk) return null
  }
  const question = { ...identity, mayAsk, warn: call.warn }
  const found = await readAttachedSbom(attached, question).catch((error: unknown) => {
    if (!isFault(error, 'tag-not-found', 'repository-not-found', 'damaged-layer')) throw error
    call.warn(`an attestation of ${digest} cannot be read: ${error.message}`)
    return null
  })
  const isUsable = found !== null && (mayAsk || (found.complete && found.distribution !== null))
  const document: StoredDocument | NoDocument = isUsable ? withoutImage(found) : { none: true }
  await analyses.putDocument(digest, readers, Buffer.from(JSON.stringify(document)))
  return isUsable ? found : null
}

function withoutImage({ image: _, ...rest }: Inventory): StoredDocument {
  return rest
}
