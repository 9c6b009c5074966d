import { Type } from 'typebox'
import { closed, digest, nullable, time, words } from './schema-pieces.js'

/** Which image, of which platform. */
export const imageIdentity = Type.Object(
  { reference: Type.String(), digest: nullable(digest), platform: nullable(Type.String()) },
  closed,
)
/** What a list of packages rests on. */
export const evidenceWish = words(['auto', 'layers', 'sbom'], 'what the packages may rest on; auto by default')
export const evidenceKind = words(['layers', 'sbom', 'image-sbom'], 'what the packages rest on')
/** A package of an image. */
export const imagePackage = Type.Object(
  {
    type: Type.String({ description: 'purl type' }),
    name: Type.String(),
    version: Type.String(),
    purl: Type.String(),
    source: nullable(Type.Object({ name: Type.String(), version: Type.String() }, closed)),
    architecture: nullable(Type.String()),
    licenses: Type.Array(Type.String({ description: 'SPDX license expression' })),
    layer: nullable(digest),
    evidence: Type.String({ description: 'the file that said so' }),
    ownedBy: nullable(Type.String({ description: 'the package of the distribution that brought it along' })),
    isVirtual: Type.Boolean({ description: 'a name for a set of others, with nothing in it' }),
    module: nullable(Type.String({ description: 'rpm modularity label, name:stream' })),
    installedBytes: nullable(Type.Integer({ description: 'what its files take, unpacked' })),
  },
  closed,
)
/** What `packages` answers. */
export const packageList = Type.Object(
  {
    image: imageIdentity,
    distribution: nullable(Type.Object({ id: Type.String(), versionId: nullable(Type.String()) }, closed)),
    evidence: evidenceKind,
    sbomTool: nullable(Type.String({ description: 'what wrote the SBOM that it rests on' })),
    complete: Type.Boolean({ description: 'false when something could not be read' }),
    packages: Type.Array(imagePackage),
    bytesFetched: Type.Integer(),
    warnings: Type.Array(Type.String()),
  },
  closed,
)

/** A package that both images have, in different versions. */
export const packageChange = Type.Object(
  {
    type: Type.String(),
    name: Type.String(),
    from: Type.String(),
    to: Type.String(),
    direction: words(['up', 'down', 'rebuilt', 'unknown'], 'which way the version went'),
    fromPurl: Type.String(),
    toPurl: Type.String(),
  },
  closed,
)

/** Which advisory data something was judged by. */
export const snapshotIdentity = Type.Object(
  {
    id: Type.String({ description: 'a digest of its content' }),
    builtAt: time('when it was built'),
    sources: Type.Array(Type.String({ description: 'which it has records of' })),
  },
  closed,
)
