import type { PackageChange, PackageChangeFacts, PackageFacts } from '../core/image-diff.js'
import type { Package } from '../core/package.js'

/** A package as documents for others show it. */
export function packageFacts(one: Package): PackageFacts {
  const { type, name, version, purl, source, architecture, licenses, layer, evidence, ownedBy } = one
  const { isVirtual = false, module = null, installedBytes = null } = one
  return {
    ...{ type, name, version, purl, source, architecture, licenses, layer, evidence, ownedBy },
    ...{ isVirtual, module, installedBytes },
  }
}

/** A changed package as documents for others show it. */
export function changeFacts({ from, to, direction }: PackageChange): PackageChangeFacts {
  const { type, name } = to
  return { type, name, from: from.version, to: to.version, direction, fromPurl: from.purl, toPurl: to.purl }
}
