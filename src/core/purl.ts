import { PackageURL } from 'packageurl-js'
import type { Distribution, FoundPackage } from './package.js'

const distributionTypes: ReadonlySet<string> = new Set(['apk', 'deb', 'rpm'])

/**
 * The package-url of a package, in canonical form (package-url specification, purl-types). A package of a distribution has the
 * distribution's id as namespace, its architecture, and the release in `distro`; an rpm's epoch is a qualifier.
 */
export function packagePurl(found: FoundPackage, distribution: Distribution | null): string {
  const { type } = found
  const [namespace, name] = splitName(found, distribution)
  const epoch = type === 'rpm' ? /^(\d+):/.exec(found.version)?.[1] : undefined
  const version = epoch === undefined ? found.version : found.version.slice(epoch.length + 1)
  const qualifiers = distributionTypes.has(type) ? distributionQualifiers(found, distribution, epoch) : undefined
  const purl = new PackageURL(type, namespace, name, version === '' ? undefined : version, qualifiers, undefined)
  // A plus is encoded (ECMA-427, "Permitted characters"); the library still leaves it, as older drafts did.
  return purl.toString().replaceAll('+', '%2B')
}

function distributionQualifiers(
  { architecture }: FoundPackage,
  distribution: Distribution | null,
  epoch: string | undefined,
): Record<string, string> {
  return {
    ...(architecture !== null && { arch: architecture }),
    ...(distribution !== null && {
      distro: distribution.versionId === null ? distribution.id : `${distribution.id}-${distribution.versionId}`,
    }),
    ...(epoch !== undefined && { epoch }),
  }
}

/** Namespace and name, as each type splits what the ecosystem writes in one. */
function splitName({ type, name }: FoundPackage, distribution: Distribution | null): [string | undefined, string] {
  if (distributionTypes.has(type)) return [distribution?.id, name]
  switch (type) {
    case 'pypi':
      // PEP 503.
      return [undefined, name.toLowerCase().replace(/[-_.]+/g, '-')]
    case 'maven':
      return splitAt(name, name.indexOf(':'))
    case 'golang':
    case 'npm':
    case 'composer':
      return splitAt(name, name.lastIndexOf('/'))
    default:
      return [undefined, name]
  }
}

function splitAt(name: string, at: number): [string | undefined, string] {
  return at < 0 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)]
}
