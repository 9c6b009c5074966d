import type { Advisories, AffectedPackage } from '../core/advisory.js'
import { advisoryName } from '../core/advisory-name.js'
import type { Inventory } from '../core/inventory.js'
import type { Package } from '../core/package.js'
import { orderOfEcosystem, orderOfPurlType } from '../versions/list.js'
import { type Comparison, mainModuleComparison, plainComparison, rpmComparison } from './comparison.js'
import {
  type AdvisoryKeys,
  type DistributionEcosystems,
  distributionEcosystems,
  isDistributionType,
  languageEcosystem,
} from './ecosystems.js'

/** Why a package is held against no advisory. */
export type SkipReason = 'virtual' | 'key' | 'owned' | 'no-ecosystem' | 'no-data'

/** In what an entry of an advisory is about another package of the same name. */
export type MismatchReason = 'architecture' | 'module' | 'binary'

/** Where the advisories about a package are, and which version they are held against. */
export interface PackagePlan {
  readonly package: Package
  readonly keys: readonly { readonly ecosystem: string; readonly name: string }[]
  readonly comparison: Comparison
  /** Namespace of its findings. */
  readonly reference: string
  /** null: it is looked up. */
  readonly skip: SkipReason | null
  /** What the data would have to hold, for a warning: `Debian:12`, `npm`, `generic`. */
  readonly wanted: string
}

/** The plan of every package of an inventory, in its order. */
export interface InventoryPlan {
  /** null: unknown, or it publishes no advisories that we know. */
  readonly distribution: DistributionEcosystems | null
  readonly packages: readonly PackagePlan[]
}

/** Where to look for the packages of an inventory. */
export function planInventory(inventory: Inventory, advisories: Pick<Advisories, 'ecosystems'>): InventoryPlan {
  const known = advisories.ecosystems
  const { distribution, packages } = inventory
  const hasPro = packages.some(({ type, version }) => type === 'deb' && /[~+.]esm\d/i.test(version))
  const own = distribution === null ? null : distributionEcosystems(distribution, known, hasPro)
  const knownSet = new Set(known)
  return { distribution: own, packages: packages.map((one) => planPackage(one, own, knownSet)) }
}

function planPackage(one: Package, own: DistributionEcosystems | null, known: ReadonlySet<string>): PackagePlan {
  return isDistributionType(one.type) ? planOfDistribution(one, own) : planOfLanguage(one, known)
}

function planOfDistribution(one: Package, own: DistributionEcosystems | null): PackagePlan {
  const isOwn = own !== null && own.type === one.type
  const names = namesIn(one, own?.keys ?? 'binary')
  const keys = isOwn ? own.ecosystems.flatMap((ecosystem) => names.map((name) => ({ ecosystem, name }))) : []
  return {
    package: one,
    keys,
    comparison: comparisonOf(one, own?.keys ?? 'binary'),
    reference: isOwn ? own.reference : one.type,
    skip: skipOf(one) ?? (isOwn ? (keys.length === 0 ? 'no-data' : null) : 'no-ecosystem'),
    wanted: isOwn ? own.wanted : one.type,
  }
}

function skipOf(one: Package): SkipReason | null {
  if (one.isVirtual === true) return 'virtual'
  // rpm lists the keys that it trusts as packages.
  return one.type === 'rpm' && one.name === 'gpg-pubkey' ? 'key' : null
}

function namesIn({ name, source }: Package, keys: AdvisoryKeys): string[] {
  if (keys === 'binary') return [name]
  return keys === 'origin' ? [...new Set([source?.name ?? name, name])] : [source?.name ?? name]
}

function comparisonOf({ type, version, source }: Package, keys: AdvisoryKeys): Comparison {
  if (type === 'rpm') {
    const isBySource = keys === 'source-rpm' && source !== null
    return rpmComparison(isBySource ? source.version : version, isBySource)
  }
  return plainComparison(orderOfPurlType(type), keys === 'source' ? (source?.version ?? version) : version)
}

/** What a distribution's package brought along is judged by the distribution's own advisories: not twice. */
function planOfLanguage(one: Package, known: ReadonlySet<string>): PackagePlan {
  const { type, name, version, ownedBy } = one
  const found = languageEcosystem(type)
  const key =
    found === null ? runtimeKey(one) : { ecosystem: found.ecosystem, name: advisoryName(found.ecosystem, name) }
  const ecosystem = key?.ecosystem ?? type
  const order = orderOfEcosystem(ecosystem)
  const isMain = type === 'golang' && mayBeMainModule(one)
  return {
    package: one,
    keys: key === null ? [] : [key],
    comparison: isMain ? mainModuleComparison(order, version) : plainComparison(order, version),
    reference: found?.reference ?? `osv:${ecosystem.toLowerCase()}`,
    skip: ownedBy !== null ? 'owned' : key === null ? 'no-ecosystem' : known.has(ecosystem) ? null : 'no-data',
    wanted: ecosystem,
  }
}

/** Runtimes that no package manager knows. Go's own database has its toolchain; Bitnami's has the others. */
function runtimeKey({ type, name }: Package): { ecosystem: string; name: string } | null {
  if (type !== 'generic') return null
  if (name === 'go') return { ecosystem: 'Go', name: 'toolchain' }
  if (name === 'openjdk') return { ecosystem: 'Bitnami', name: 'java' }
  return name === 'node' || name === 'python' ? { ecosystem: 'Bitnami', name } : null
}

/**
 * Whether a Go module may be the program's main one, of which an inventory keeps no mark: it is called as its program is
 * (`github.com/argoproj/argo-cd/v3` in `argocd`), or it is of a second or later major version without a tag of it.
 */
function mayBeMainModule({ name, version, evidence }: Package): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/\.exe$|[^a-z0-9]/g, '')
  const last =
    name
      .replace(/\/v\d+$/, '')
      .split('/')
      .at(-1) ?? ''
  const program = evidence.split('/').at(-1) ?? ''
  return plain(last) === plain(program) || /^v(?:[2-9]|\d\d+)\.0\.0-\d{14}-/.test(version)
}

/** Why an entry of an advisory is not about a package that has its name; null where it is. */
export function mismatchOf(entry: AffectedPackage, one: Package): MismatchReason | null {
  if (!isForArchitecture(entry, one.architecture)) return 'architecture'
  if (entry.module !== null && (one.module ?? null) !== null && entry.module !== one.module) return 'module'
  if (entry.binaries.length > 0 && !entry.binaries.includes(one.name)) return 'binary'
  return null
}

/** `noarch` on either side is any; a missing one excludes nothing. */
function isForArchitecture({ architectures }: AffectedPackage, architecture: string | null): boolean {
  if (architectures.length === 0 || architecture === null) return true
  const wanted = new Set(architectures.map(canonical))
  return isAny(architecture) || architectures.some(isAny) || wanted.has(canonical(architecture))
}

function isAny(architecture: string): boolean {
  return architecture === 'noarch' || architecture === 'all' || architecture === 'any'
}

/** The same machine, as Debian and rpm call it. */
function canonical(architecture: string): string {
  if (architecture === 'amd64') return 'x86_64'
  return architecture === 'arm64' ? 'aarch64' : architecture
}
