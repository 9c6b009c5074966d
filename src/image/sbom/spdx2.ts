import { isDigest } from '../../core/digest.js'
import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import type { Distribution, PackageSource } from '../../core/package.js'
import { packagePurl, parsePurl } from '../../core/purl.js'
import {
  distributionOf,
  evidenceIn,
  platformOfPurl,
  type SbomEntry,
  type SbomFacts,
  type SbomReader,
  typeOfDatabase,
} from './sbom-reader.js'

/** SPDX 2.2 and 2.3 as JSON: https://spdx.github.io/spdx-spec/v2.3/, clause 7. */
export const spdx2: SbomReader = {
  name: 'spdx2',
  matches: (document) => textOf(document.spdxVersion).startsWith('SPDX-2.'),
  read,
}

/** What an element is for, when it is no package that is installed: the image, its layers, recipes and sources of packages. */
const otherPurposes = new Set([
  'CONTAINER',
  'OPERATING-SYSTEM',
  'OPERATING_SYSTEM',
  'SOURCE',
  'INSTALL',
  'FILE',
  'OTHER',
])
function read(document: JsonObject): SbomFacts {
  const elements = objectsOf(document.packages)
  const roots = rootIds(document)
  const root = elements.find(({ SPDXID }) => roots.has(textOf(SPDXID)))
  const distribution = distributionIn(elements)
  const sources = sourcesIn(document, elements)
  const isInstalled = (element: JsonObject) =>
    !otherPurposes.has(textOf(element.primaryPackagePurpose)) &&
    !isDigest(textOf(element.name)) &&
    (element !== root || purlOf(element) !== null)
  return {
    digest: root === undefined ? null : digestIn(root),
    platform: root === undefined ? null : platformIn(root),
    distribution,
    tool: toolIn(document),
    entries: elements.filter(isInstalled).map((element) => entryOf(element, distribution, sources)),
  }
}

/** `Tool: syft-1.18.1` (clause 6.8, "Creator"); a version is behind the last hyphen that a digit follows. */
function toolIn(document: JsonObject): string | null {
  const { creators } = objectOf(document.creationInfo)
  const tools = (Array.isArray(creators) ? creators.map(textOf) : []).flatMap((creator) => {
    const [, name, version] = /^Tool:\s*(\S.*?)(?:-(v?\d\S*))?$/.exec(creator) ?? []
    return name === undefined ? [] : [version === undefined ? name : `${name} ${version}`]
  })
  return tools.length === 0 ? null : tools.sort().join(', ')
}

/** What the document is about: its `documentDescribes`, or a relationship of its own. */
function rootIds(document: JsonObject): Set<string> {
  const described = Array.isArray(document.documentDescribes) ? document.documentDescribes.map(textOf) : []
  const related = objectsOf(document.relationships)
    .filter(
      ({ relationshipType, spdxElementId }) => relationshipType === 'DESCRIBES' && spdxElementId === 'SPDXRef-DOCUMENT',
    )
    .map(({ relatedSpdxElement }) => textOf(relatedSpdxElement))
  return new Set([...described, ...related])
}

/** Source packages that others were built from, by the id of the latter: Clair has elements for them, and relations. */
function sourcesIn(document: JsonObject, elements: readonly JsonObject[]): ReadonlyMap<string, PackageSource> {
  const byId = new Map(elements.map((element) => [textOf(element.SPDXID), element]))
  const sources = new Map<string, PackageSource>()
  for (const { relationshipType, spdxElementId, relatedSpdxElement } of objectsOf(document.relationships)) {
    const source = relationshipType === 'GENERATED_FROM' ? byId.get(textOf(relatedSpdxElement)) : undefined
    if (source === undefined || textOf(source.name) === '') continue
    sources.set(textOf(spdxElementId), { name: textOf(source.name), version: textOf(source.versionInfo) })
  }
  return sources
}

function entryOf(
  element: JsonObject,
  distribution: Distribution | null,
  sources: ReadonlyMap<string, PackageSource>,
): SbomEntry {
  const name = textOf(element.name)
  const version = textOf(element.versionInfo)
  const declared = textOf(element.licenseDeclared)
  const license = ['', 'NOASSERTION', 'NONE'].includes(declared) ? textOf(element.licenseConcluded) : declared
  const file = textOf(element.packageFileName)
  const info = textOf(element.sourceInfo)
  const note = objectsOf(element.annotations).find(({ annotator }) => annotator === 'Tool: tidemark')
  return {
    name,
    version,
    purl: purlOf(element) ?? purlOfFile(name, version, file, distribution),
    licenses: license === '' ? [] : [license],
    path: file || pathIn(info),
    source: sources.get(textOf(element.SPDXID)) ?? sourceInSentence(info),
    note: note === undefined ? null : textOf(note.comment),
  }
}

function purlOf(element: JsonObject): string | null {
  const reference = objectsOf(element.externalRefs).find(({ referenceType }) => referenceType === 'purl')
  return reference === undefined ? null : textOf(reference.referenceLocator)
}

/** What a document without package URLs names by the database that it was found in (Clair's do). */
function purlOfFile(name: string, version: string, file: string, distribution: Distribution | null): string | null {
  const type = typeOfDatabase(file)
  if (type === null || name === '') return null
  const found = { type, name, version, architecture: null, source: null, licenses: [], evidence: file }
  return packagePurl(found, distribution)
}

/** Syft's "acquired package info from DPKG DB: /a, /b". */
function pathIn(sourceInfo: string): string | null {
  const start = sourceInfo.indexOf(': /')
  return start < 0 ? null : evidenceIn(sourceInfo.slice(start + 2).split(', '))
}

/** Trivy's "built package from: NAME VERSION". */
function sourceInSentence(sourceInfo: string): PackageSource | null {
  const [, name, version] = /^built package from: (\S{1,255}) (\S{1,255})$/.exec(sourceInfo) ?? []
  return name === undefined || version === undefined ? null : { name, version }
}

function distributionIn(elements: readonly JsonObject[]): Distribution | null {
  const system = elements.find(({ primaryPackagePurpose }) =>
    /^OPERATING[-_]SYSTEM$/.test(textOf(primaryPackagePurpose)),
  )
  if (system === undefined) return null
  const references = new Map(
    objectsOf(system.externalRefs).map(({ referenceType, referenceLocator }) => [
      textOf(referenceType),
      textOf(referenceLocator),
    ]),
  )
  // Clair writes os-release into references of its own; others its id into the name.
  const id = references.get('did') ?? textOf(system.name)
  if (!/^[\w.-]+$/.test(id)) return null
  const version = references.get('version_id') ?? textOf(system.versionInfo)
  const isOurs = system.SPDXID === 'SPDXRef-OperatingSystem'
  return distributionOf(id, version, references.get('pretty_name') ?? (isOurs ? textOf(system.summary) : ''))
}

function digestIn(root: JsonObject): SbomFacts['digest'] {
  const purl = parsePurl(purlOf(root) ?? '')
  const digest = purl?.type === 'oci' ? (purl.version ?? '') : isOurs(root) ? textOf(root.versionInfo) : ''
  return isDigest(digest) ? digest : null
}

function platformIn(root: JsonObject): string | null {
  return isOurs(root) ? textOf(root.summary) || null : platformOfPurl(purlOf(root) ?? '')
}

/** Our own documents say digest and platform of the image so; in others those fields mean other things. */
function isOurs(root: JsonObject): boolean {
  return objectOf(root).SPDXID === 'SPDXRef-Image' && root.primaryPackagePurpose === 'CONTAINER'
}
