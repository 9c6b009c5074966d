import { comparePackages } from '../../core/compare-packages.js'
import { Fault, oneLine } from '../../core/fault.js'
import type { EvidenceKind, Inventory } from '../../core/inventory.js'
import { limits } from '../../core/limits.js'
import type { Distribution, Package, PackageSource } from '../../core/package.js'
import { readPackageNote } from '../../core/package-note.js'
import { formatPurl, type Purl, packageOfPurl, parsePurl } from '../../core/purl.js'
import { toLicenseExpression } from '../../core/spdx.js'
import { sbomReaders } from './list.js'
import { type JsonObject, objectOf, type SbomEntry, type SbomFacts, textOf } from './sbom-reader.js'

/** An image with 20,000 packages is a large one. */
const maxEntries = 500_000
/** An in-toto statement in a DSSE envelope, and once more. */
const maxWrappers = 4
/** Entries that are named in a warning; of the others only their number. */
const maxNamed = 5

/** What is read, and from where. */
export interface ReadSbomOptions {
  /** As it was asked for: `sbom:FILE`. */
  readonly reference: string
  readonly evidence: Extract<EvidenceKind, 'sbom' | 'image-sbom'>
}

/**
 * The packages that an SBOM names: SPDX 2.2, 2.3 and 3.0, CycloneDX 1.2 to 1.7 and Syft's own, as JSON, bare or in an in-toto
 * statement or a DSSE envelope, whose signature is not looked at. An entry that cannot be a package for us is left out with
 * a warning, and the inventory is then not complete.
 * @throws Fault `unsupported-media` when it is none of these; `too-large`
 */
export function readSbom(bytes: Uint8Array, { reference, evidence }: ReadSbomOptions): Inventory {
  const document = unwrap(parse(bytes))
  const reader = sbomReaders.find((one) => one.matches(document))
  if (reader === undefined) throw notAnSbom('it is neither SPDX, nor CycloneDX, nor of Syft')
  const facts = reader.read(document)
  if (facts.entries.length > maxEntries) throw new Fault('too-large', `the SBOM has more than ${maxEntries} entries`)
  const packages: Package[] = []
  const leftOut: string[] = []
  for (const entry of facts.entries) {
    const one = packageOf(entry)
    if (one === 'image') continue
    if (one === null) leftOut.push(entry.name)
    else packages.push(one)
  }
  return {
    image: { reference, digest: facts.digest, platform: facts.platform },
    distribution: facts.distribution ?? commonDistribution(facts),
    evidence,
    packages: withoutCopies(packages.sort(comparePackages)),
    complete: leftOut.length === 0,
    warnings: leftOut.length === 0 ? [] : [warningOf(leftOut)],
  }
}

function packageOf(entry: SbomEntry): Package | 'image' | null {
  const parsed = entry.purl === null ? null : parsePurl(entry.purl)
  if (parsed === null) return null
  if (parsed.type === 'oci' || parsed.type === 'docker') return 'image'
  const purl = cleanPurl(parsed)
  const note = entry.note === null ? null : readPackageNote(entry.note)
  if (note !== null) return { ...note, purl: formatPurl(purl) }
  const found = packageOfPurl(purl)
  const licenses = entry.licenses.map((license) => toLicenseExpression(license, 'name'))
  return {
    ...found,
    version: found.version || entry.version,
    source: sourceOf(parsed),
    licenses: [...new Set(licenses.filter((license) => license !== null))],
    evidence: (entry.path ?? '').replace(/^\/+/, ''),
    purl: formatPurl({ ...purl, version: purl.version ?? (entry.version || null) }),
    layer: null,
    ownedBy: null,
  }
}

/** One form for what tools write in several: Syft's former type `alpine`, an epoch of 0, qualifiers that name no package. */
function cleanPurl(purl: Purl): Purl {
  const qualifiers = new Map(purl.qualifiers)
  for (const noise of ['upstream', 'package-id']) qualifiers.delete(noise)
  if (qualifiers.get('epoch') === '0') qualifiers.delete('epoch')
  const isFormer = purl.type === 'alpine'
  return isFormer
    ? { ...purl, type: 'apk', namespace: purl.namespace ?? 'alpine', qualifiers }
    : { ...purl, qualifiers }
}

/** Syft's `upstream`: a source package with or without its version, or the name of a source rpm. */
function sourceOf({ version, qualifiers }: Purl): PackageSource | null {
  const upstream = qualifiers.get('upstream')
  if (upstream === undefined) return null
  const rpm = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(upstream)
  if (rpm !== null) return { name: rpm[1] ?? '', version: rpm[2] ?? '' }
  const at = upstream.lastIndexOf('@')
  return at > 0
    ? { name: upstream.slice(0, at), version: upstream.slice(at + 1) }
    : { name: upstream, version: version ?? '' }
}

/** The one that most packages name in `distro`. */
function commonDistribution({ entries }: SbomFacts): Distribution | null {
  const counts = new Map<string, number>()
  for (const { purl } of entries) {
    const distro = (purl === null ? null : parsePurl(purl))?.qualifiers.get('distro')
    if (distro !== undefined) counts.set(distro, (counts.get(distro) ?? 0) + 1)
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (most === undefined) return null
  const [, id = '', versionId] = /^(.+?)(?:-(\d[\w.]*))?$/.exec(most[0]) ?? []
  if (id === '') return null
  return { id: id.toLowerCase(), idLike: [], versionId: versionId ?? null, codename: null, name: id }
}

function withoutCopies(packages: readonly Package[]): Package[] {
  return packages.filter((one, index) => {
    const before = packages[index - 1]
    return before === undefined || comparePackages(before, one) !== 0
  })
}

function warningOf(names: readonly string[]): string {
  const named = names.slice(0, maxNamed).map((name) => oneLine(name.slice(0, 80)))
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''
  return `the SBOM has entries without a package URL, which are left out: ${named.join(', ')}${more}`
}

function unwrap(document: JsonObject): JsonObject {
  let inner = document
  for (let wrapper = 0; wrapper < maxWrappers; wrapper++) {
    const payload = textOf(inner.payload)
    if (textOf(inner.payloadType) !== '' && payload !== '') inner = parse(Buffer.from(payload, 'base64'))
    else if (textOf(inner._type).startsWith('https://in-toto.io/Statement/')) inner = statementOf(inner.predicate)
    else return inner
  }
  throw notAnSbom('it is wrapped too often')
}

/** cosign wrote the SBOM as a text within `Data`, for a while. */
function statementOf(predicate: unknown): JsonObject {
  const { Data } = objectOf(predicate)
  if (typeof Data === 'string') return parse(Buffer.from(Data))
  return Data === undefined ? objectOf(predicate) : objectOf(Data)
}

function parse(bytes: Uint8Array): JsonObject {
  if (bytes.length > limits.sbomBytes) throw new Fault('too-large', `the SBOM has more than ${limits.sbomBytes} bytes`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Fault('unsupported-media', 'not an SBOM: it is not JSON', { cause })
  }
  return objectOf(value)
}

function notAnSbom(why: string): Fault {
  return new Fault('unsupported-media', `not an SBOM that Tidemark reads: ${why}`, {
    fix: 'Give SPDX 2.2, 2.3 or 3.0, CycloneDX 1.4 to 1.6, or Syft JSON.',
  })
}
