import { canonicalName, type Purl } from '../core/purl.js'

/** Ids of distributions and the namespaces that their vendors write in package URLs. */
const vendorNamespaces: Readonly<Record<string, string>> = {
  redhat: 'rhel',
  amazon: 'amzn',
  oracle: 'ol',
  oraclelinux: 'ol',
  suse: 'sles',
  rockylinux: 'rocky',
  alma: 'almalinux',
}

/**
 * Whether a package URL names a package: the same type, namespace and name; the same version, where it has one; and whatever
 * qualifiers it has, with the same values. The names are compared as their type compares them (ECMA-427, type definitions), and
 * a vendor's namespace as the id of its distribution.
 */
export function purlMatches(wanted: Purl, found: Purl): boolean {
  return (
    wanted.type === found.type &&
    canonicalName(wanted.type, wanted.name) === canonicalName(found.type, found.name) &&
    namespaceOf(wanted) === namespaceOf(found) &&
    (wanted.version === null || versionOf(wanted) === versionOf(found)) &&
    [...wanted.qualifiers].every(([key, value]) => isNoise(key, value) || found.qualifiers.get(key) === value)
  )
}

function namespaceOf({ type, namespace }: Purl): string | null {
  if (type !== 'rpm' || namespace === null) return namespace
  return Object.hasOwn(vendorNamespaces, namespace) ? (vendorNamespaces[namespace] ?? null) : namespace
}

/** Go's versions are written with their `v` and without. */
function versionOf({ type, version }: Purl): string | null {
  return type === 'golang' ? (version?.replace(/^v/, '') ?? null) : version
}

/** Qualifiers that name no other package: no epoch is epoch 0, and where something may be downloaded is not what it is. */
function isNoise(key: string, value: string): boolean {
  return (key === 'epoch' && value === '0') || key === 'download_url' || key === 'vcs_url' || key === 'checksum'
}
