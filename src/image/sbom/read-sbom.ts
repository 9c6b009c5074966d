import { comparePackages } from '../../core/compare-packages.js'
import type { Digest } from '../../core/digest.js'
import { Fault, oneLine } from '../../core/fault.js'
import type { EvidenceKind, Inventory } from '../../core/inventory.js'
import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import type { Distribution, Package, PackageSource } from '../../core/package.js'
import { readPackageNote } from '../../core/package-note.js'
import { canonicalName, formatPurl, type Purl, packageOfPurl, packagePurl, parsePurl } from '../../core/purl.js'
import { toLicenseExpression } from '../../core/spdx.js'
import { sbomReaders } from './list.js'
import { distributionOf, type SbomEntry, type SbomFacts } from './sbom-reader.js'
import { sourceOfRpm } from './source-rpm.js'

/** An image with 20,000 packages is a large one. */
const maxEntries = 500_000
/** An in-toto statement in a DSSE envelope, and once more. */
const maxWrappers = 4
/** A name, a version, a path of another length is none. */
const maxTextLength = 4_096
/** Entries that are named in a warning; of the others only their number. */
const maxNamed = 5

/** What is read, and from where. */
export interface ReadSbomOptions {
  /** As it was asked for: `sbom:FILE`. */
  readonly reference: string
  readonly evidence: Extract<EvidenceKind, 'sbom' | 'image-sbom'>
  /** The image that it must be about; any when left out. */
  readonly subject?: Digest
  /** Whether something else says already that it is about `subject`, so that a document that names no image will do. */
  readonly isBound?: boolean
}

/**
 * The packages that an SBOM names: SPDX 2.2, 2.3 and 3.0, CycloneDX 1.2 to 1.7 and Syft's own, as JSON, bare or in an in-toto
 * statement or a DSSE envelope, whose signature is not looked at. An entry without a package URL is kept, as of type `generic`,
 * with a warning: the ecosystem of a package is not guessed. One that has no name, or a text that no package has, is left out;
 * the inventory is then not complete.
 * @throws Fault `unsupported-media` when it is none of these, or about another image; `too-large`
 */
export function readSbom(bytes: Uint8Array, options: ReadSbomOptions): Inventory {
  const { reference, evidence, subject } = options
  const { document, subjects } = unwrap(parse(bytes))
  const reader = sbomReaders.find((one) => one.matches(document))
  if (reader === undefined) throw notAnSbom('it is neither SPDX, nor CycloneDX, nor of Syft')
  const facts = reader.read(document)
  if (facts.entries.length > maxEntries) throw new Fault('too-large', `the SBOM has more than ${maxEntries} entries`)
  if (subject !== undefined && !isAbout(subject, subjects, facts, options.isBound === true)) {
    throw notAnSbom(`it is not about ${subject}`)
  }
  const packages: Package[] = []
  const leftOut: string[] = []
  const untyped: string[] = []
  for (const entry of facts.entries) {
    const parsed = entry.purl === null ? null : parsePurl(entry.purl)
    if (parsed?.type === 'oci' || parsed?.type === 'docker') continue
    const one = parsed === null ? packageWithoutPurl(entry) : packageOf(entry, parsed)
    if (!isReadable(one)) leftOut.push(entry.name)
    else packages.push(one)
    if (parsed === null && isReadable(one)) untyped.push(entry.name)
  }
  const warnings = [
    ...warningOf('entries without a package URL, whose ecosystem is not known', untyped),
    ...warningOf('entries without a readable name and version, which are left out', leftOut),
  ]
  return {
    image: { reference, digest: facts.digest, platform: facts.platform },
    distribution: facts.distribution ?? commonDistribution(facts),
    evidence,
    sbomTool: facts.tool,
    packages: withoutCopies(packages.sort(comparePackages)),
    complete: leftOut.length === 0,
    warnings,
  }
}

function packageWithoutPurl({ name, version, licenses, source, path }: SbomEntry): Package {
  const plain = { type: 'generic', name, version, architecture: null, source, licenses: expressionsOf(licenses) }
  const found = { ...plain, evidence: relative(path) }
  return { ...found, purl: packagePurl(found, null), layer: null, ownedBy: null }
}

function packageOf(entry: SbomEntry, parsed: Purl): Package {
  const purl = cleanPurl(parsed)
  const found = packageOfPurl(purl)
  const note = entry.note === null ? null : readPackageNote(entry.note)
  if (note !== null && isOf(note, found)) return { ...note, purl: formatPurl(purl) }
  return {
    ...found,
    version: found.version || entry.version,
    source: entry.source ?? sourceOf(parsed),
    licenses: expressionsOf(entry.licenses),
    evidence: relative(entry.path),
    purl: formatPurl({ ...purl, version: purl.version ?? (entry.version || null) }),
    layer: null,
    ownedBy: null,
  }
}

type Identity = Pick<Package, 'type' | 'name' | 'version'>

/** Whether a note is about the package of the URL beside it: anybody may write one. An archive without a group is `generic` there. */
function isOf(note: Identity, found: Identity): boolean {
  const isType = note.type === found.type || (note.type === 'maven' && found.type === 'generic')
  const isName = canonicalName(note.type, note.name) === canonicalName(note.type, found.name)
  return isType && isName && note.version === found.version
}

function expressionsOf(licenses: readonly string[]): string[] {
  const expressions = licenses.map((license) => toLicenseExpression(license, 'name'))
  return [...new Set(expressions.filter((expression) => expression !== null))]
}

function relative(path: string | null): string {
  return (path ?? '').replace(/^\/+/, '')
}

/** Texts end in terminals and documents of others: what no database of packages would take is no package. */
function isReadable(one: Package): boolean {
  const { type, name, version, architecture, source, licenses, evidence, ownedBy, module } = one
  const texts = [
    type,
    name,
    version,
    architecture,
    source?.name,
    source?.version,
    evidence,
    ownedBy,
    module,
    ...licenses,
  ]
  return name !== '' && texts.every((text) => !text || (text.length <= maxTextLength && !/\p{Cc}/u.test(text)))
}

/** One form for what tools write in several: Syft's former type `alpine`, an epoch of 0, qualifiers that name no package. */
function cleanPurl(purl: Purl): Purl {
  const qualifiers = new Map(purl.qualifiers)
  for (const noise of ['upstream', 'package-id']) qualifiers.delete(noise)
  const epoch = qualifiers.get('epoch')
  if (epoch === '0' || purl.type !== 'rpm') qualifiers.delete('epoch')
  // Trivy writes the epoch of Debian's versions as a qualifier, which belongs to rpm alone.
  const isEpochMissing = purl.type === 'deb' && epoch !== undefined && epoch !== '0' && !purl.version?.includes(':')
  const version = isEpochMissing && purl.version !== null ? `${epoch}:${purl.version}` : purl.version
  return purl.type === 'alpine'
    ? { ...purl, type: 'apk', namespace: purl.namespace ?? 'alpine', version, qualifiers }
    : { ...purl, version, qualifiers }
}

/** Syft's `upstream`: a source package with or without its version, or the name of a source rpm. */
function sourceOf({ version, qualifiers }: Purl): PackageSource | null {
  const upstream = qualifiers.get('upstream')
  if (upstream === undefined) return null
  const rpm = sourceOfRpm(upstream)
  if (rpm !== null) return rpm
  const at = upstream.lastIndexOf('@')
  return at > 0
    ? { name: upstream.slice(0, at), version: upstream.slice(at + 1) }
    : { name: upstream, version: version ?? '' }
}

/** The one that most packages name in `distro`: Syft's and our ID-VERSION, or Trivy's VERSION beside the namespace. */
function commonDistribution({ entries }: SbomFacts): Distribution | null {
  const counts = new Map<string, number>()
  for (const entry of entries) {
    const purl = entry.purl === null ? null : parsePurl(entry.purl)
    const distro = purl?.qualifiers.get('distro')
    if (!purl || distro === undefined) continue
    const said = /^\d/.test(distro) && purl.namespace !== null ? `${purl.namespace}-${distro}` : distro
    counts.set(said, (counts.get(said) ?? 0) + 1)
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  if (most === undefined) return null
  const [, id = '', versionId = ''] = /^(.+?)(?:-(\d[\w.]*))?$/.exec(most[0]) ?? []
  return distributionOf(id, versionId, id)
}

function withoutCopies(packages: readonly Package[]): Package[] {
  return packages.filter((one, index) => {
    const before = packages[index - 1]
    return before === undefined || comparePackages(before, one) !== 0
  })
}

function warningOf(what: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const named = names.slice(0, maxNamed).map((name) => oneLine(name.slice(0, 80)) || '(no name)')
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''
  return [`the SBOM has ${what}: ${named.join(', ')}${more}`]
}

/** A statement names its subjects; a bare document may name its image, and else whoever attached it must. */
function isAbout(subject: Digest, subjects: readonly string[] | null, facts: SbomFacts, isBound: boolean): boolean {
  if (subjects !== null) return subjects.includes(subject)
  return facts.digest === null ? isBound : facts.digest === subject
}

/** A document without what it is wrapped in, and the digests that the statement around it is about; null without one. */
function unwrap(document: JsonObject): { readonly document: JsonObject; readonly subjects: readonly string[] | null } {
  let inner = document
  let subjects: readonly string[] | null = null
  for (let wrapper = 0; wrapper < maxWrappers; wrapper++) {
    const payload = textOf(inner.payload)
    const envelope = objectOf(inner.dsseEnvelope)
    if (textOf(inner.payloadType) !== '' && payload !== '') inner = parse(Buffer.from(payload, 'base64'))
    else if (textOf(envelope.payload) !== '') inner = envelope
    else if (textOf(inner._type).startsWith('https://in-toto.io/Statement/')) {
      subjects = subjectsOf(inner)
      inner = statementOf(inner.predicate)
    } else return { document: inner, subjects }
  }
  throw notAnSbom('it is wrapped too often')
}

/** in-toto attestation framework v1, "Statement": `subject[].digest`, by algorithm. */
function subjectsOf(statement: JsonObject): string[] {
  return objectsOf(statement.subject).flatMap(({ digest }) =>
    Object.entries(objectOf(digest)).map(([algorithm, hex]) => `${algorithm}:${textOf(hex)}`),
  )
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
