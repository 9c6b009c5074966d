import { isFault } from '../../core/fault.js'
import type { ImageIdentity } from '../../core/inventory.js'
import type { Distribution, Package } from '../../core/package.js'
import { type Purl, parsePurl } from '../../core/purl.js'
import { formatRepository, parseReference, type Reference } from '../../core/reference.js'
import { purlMatches } from '../match-purl.js'
import type { VexComponent, VexPlatform, VexProduct } from './vex-format.js'

/** The image whose findings statements are held against. */
export interface VexImage {
  readonly image: ImageIdentity
  /** Other digests that are this image: of the index that its manifest is a child of. */
  readonly digests?: readonly string[]
  readonly distribution: Distribution | null
  readonly packages: readonly Package[]
}

/** A finding's package. */
export interface VexPackage {
  readonly purl: Purl
  readonly evidence: string
}

/** Finds out how exactly a product names a package of one image. */
export interface ProductMatcher {
  /** null: it does not; else the more, the more exactly. */
  match(product: VexProduct, one: VexPackage): number | null
}

/** A whole image, a package, a version of it; a named product around it adds to these. */
const precision = { image: 0, package: 2, version: 4, within: 8, digest: 1 } as const

/**
 * How products of statements name packages of `target`.
 *
 * - An image (`pkg:oci/…`, a digest): all packages of it, or those that its subcomponents name.
 * - A package: that package. With subcomponents: those packages, where they lie in the same file as the product (the modules of
 *   a Go program, the archives in an archive); a package that merely is in the same image is no part of the product.
 * - A component of a platform (CSAF): that package in that release of the distribution; a package with its exact version is that
 *   build wherever it lies.
 */
export function createProductMatcher(target: VexImage): ProductMatcher {
  const reference = referenceOf(target.image)
  const digests = new Set<string | null | undefined>([
    target.image.digest,
    reference?.digest,
    ...(target.digests ?? []),
  ])
  const byEvidence = new Map<string, Purl[]>()
  for (const { evidence, purl } of target.packages) {
    const parsed = parsePurl(purl)
    if (parsed === null) continue
    const list = byEvidence.get(evidence)
    if (list === undefined) byEvidence.set(evidence, [parsed])
    else list.push(parsed)
  }
  const imageMatch = (product: VexComponent): number | null => {
    if (product.digests.some((digest) => digests.has(digest))) return precision.digest
    return product.purls.some((purl) => isImage(purl, digests, reference, target.image.platform))
      ? Number(product.purls.some(({ version }) => version !== null))
      : null
  }
  return {
    match(product, one) {
      const { subcomponents, platform } = product
      const image = imageMatch(product)
      if (image !== null) {
        if (subcomponents.length === 0) return precision.image + image
        const inner = best(subcomponents.map((component) => packageMatch(component, one)))
        return inner === null ? null : inner + precision.within + image
      }
      if (subcomponents.length === 0) {
        const match = packageMatch(product, one)
        const isExact = match === precision.version
        return match === null || isExact || platform === null || isOn(platform, target.distribution) ? match : null
      }
      const inner = best(subcomponents.map((component) => packageMatch(component, one)))
      if (inner === null) return null
      const around = byEvidence.get(one.evidence) ?? []
      const isWithin = product.purls.some((purl) => around.some((found) => purlMatches(purl, found)))
      return isWithin ? inner + precision.within : null
    },
  }
}

function packageMatch({ purls }: VexComponent, one: VexPackage): number | null {
  return best(
    purls
      .filter((purl) => purlMatches(purl, one.purl))
      .map(({ version }) => (version === null ? precision.package : precision.version)),
  )
}

function best(matches: readonly (number | null)[]): number | null {
  return matches.reduce((most, match) => (match !== null && (most === null || match > most) ? match : most), null)
}

/** purl-types, "oci": the version is the digest; `repository_url`, `tag`, `arch` and `os` narrow it down. */
function isImage(
  { type, name, version, qualifiers }: Purl,
  digests: ReadonlySet<string | null | undefined>,
  reference: Reference | null,
  platform: string | null,
): boolean {
  if (type !== 'oci') return false
  if (version !== null) return digests.has(version)
  if (reference === null || reference.path.split('/').pop() !== name) return false
  const url = qualifiers.get('repository_url')
  const [os, architecture] = platform?.split('/') ?? []
  const tag = qualifiers.get('tag')
  return (
    (url === undefined || isRepository(url, reference)) &&
    (tag === undefined || tag === reference.tag) &&
    (qualifiers.get('arch') ?? architecture) === architecture &&
    (qualifiers.get('os') ?? os) === os
  )
}

/** With the name of the image or without: the specification has examples of both. */
function isRepository(url: string, reference: Reference): boolean {
  const wanted = url.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const names = [wanted, `${wanted}/${reference.path.split('/').pop()}`].map(repositoryOf)
  return names.includes(formatRepository(reference))
}

function repositoryOf(text: string): string | null {
  try {
    return formatRepository(parseReference(text))
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** null for a folder, an archive, an SBOM. */
function referenceOf({ reference }: ImageIdentity): Reference | null {
  if (/^(?:dir|oci|oci-archive|docker-archive|sbom|archive):/.test(reference)) return null
  try {
    return parseReference(reference)
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** `vendor:product` of CPE names of distributions, by the ids of os-release(5). */
const cpeProducts: Readonly<Record<string, string>> = {
  'redhat:enterprise_linux': 'rhel',
  'suse:sles': 'sles',
  'suse:linux_enterprise_server': 'sles',
  'opensuse:leap': 'opensuse-leap',
  'debian:debian_linux': 'debian',
  'canonical:ubuntu_linux': 'ubuntu',
  'oracle:linux': 'ol',
  'rocky:rocky': 'rocky',
  'almalinux:almalinux': 'almalinux',
  'alpinelinux:alpine_linux': 'alpine',
  'fedoraproject:fedora': 'fedora',
}

/** Whether a distribution is the release that a CPE 2.2 or 2.3 names; `8` is every 8.x. What no CPE names is no release. */
function isOn({ cpe }: VexPlatform, distribution: Distribution | null): boolean {
  const [vendor, product, version = ''] = (cpe ?? '').replace(/^cpe:(?:2\.3:|\/)[aoh]:/, '').split(':')
  const key = `${vendor}:${product}`
  if (distribution === null || !Object.hasOwn(cpeProducts, key) || cpeProducts[key] !== distribution.id) return false
  const have = distribution.versionId ?? ''
  return /^\d/.test(version) && (have === version || have.startsWith(`${version}.`))
}
