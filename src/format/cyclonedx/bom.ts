import type { ImageIdentity } from '../../core/inventory.js'

/** What two BOMs of an image differ in. */
export interface BomParts {
  /** A UUID from the content: the same content is the same BOM. */
  readonly serial: string
  /** Behind the name of the image, and behind the image. */
  readonly ofImage?: object
  readonly ofMetadata?: object
  /** `components`, and what comes behind them. */
  readonly content: object
}

/** A BOM of an image (CycloneDX 1.6, ECMA-424), which has no time. */
export function bomOfImage(
  { reference, digest }: Pick<ImageIdentity, 'reference' | 'digest'>,
  { serial, ofImage, ofMetadata, content }: BomParts,
): object {
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${serial}`,
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'tidemark' }] },
      component: {
        'bom-ref': 'image',
        type: 'container',
        name: reference,
        ...(digest !== null && { version: digest }),
        ...ofImage,
      },
      ...ofMetadata,
    },
    ...content,
  }
}
