import { type Digest, isDigest } from '../../core/digest.js'
import { parsePurl } from '../../core/purl.js'
import {
  distributionOf,
  type JsonObject,
  objectOf,
  objectsOf,
  type SbomEntry,
  type SbomFacts,
  type SbomReader,
  textOf,
} from './sbom-reader.js'

/** CycloneDX 1.2 to 1.7 as JSON (ECMA-424): what is read here is the same in all. */
export const cyclonedx: SbomReader = {
  name: 'cyclonedx',
  matches: (document) => document.bomFormat === 'CycloneDX' && /^1\.\d+$/.test(textOf(document.specVersion)),
  read,
}

/** Components that may have no package URL because they are no packages. */
const otherTypes = new Set([
  'container',
  'operating-system',
  'file',
  'device',
  'firmware',
  'data',
  'cryptographic-asset',
])
/** Properties that name the file a component was found in: ours, Syft's, Trivy's. */
const pathProperties = ['tidemark:evidence', 'syft:location:0:path', 'aquasecurity:trivy:FilePath']

function read(document: JsonObject): SbomFacts {
  const root = objectOf(objectOf(document.metadata).component)
  const components = allComponents(document)
  const system = components.find(({ type }) => type === 'operating-system') ?? {}
  const properties = propertiesOf(system)
  return {
    digest: digestOfRoot(root),
    platform: propertiesOf(root).get('tidemark:platform') ?? null,
    distribution: distributionOf(
      properties.get('syft:distro:id') ?? textOf(system.name),
      properties.get('syft:distro:versionID') ?? textOf(system.version),
      textOf(system.description),
    ),
    entries: components
      .filter(({ type, purl }) => textOf(purl) !== '' || !otherTypes.has(textOf(type)))
      .filter(({ type }) => type !== 'operating-system' && type !== 'container')
      .map(entryOf),
  }
}

/** Components hold components, to any depth: an explicit stack, so that the depth costs nothing. */
function allComponents(document: JsonObject): JsonObject[] {
  const all: JsonObject[] = []
  const stack = objectsOf(document.components).toReversed()
  for (let component = stack.pop(); component !== undefined; component = stack.pop()) {
    all.push(component)
    for (const inner of objectsOf(component.components).toReversed()) stack.push(inner)
  }
  return all
}

function entryOf(component: JsonObject): SbomEntry {
  const group = textOf(component.group)
  const name = textOf(component.name)
  const properties = propertiesOf(component)
  const path = pathProperties.map((property) => properties.get(property)).find((value) => value !== undefined)
  const occurrence = objectsOf(objectOf(component.evidence).occurrences)[0]
  return {
    name: group === '' ? name : `${group}/${name}`,
    version: textOf(component.version),
    purl: textOf(component.purl) || null,
    licenses: objectsOf(component.licenses).flatMap(({ license, expression }) => {
      const { id, name: title } = objectOf(license)
      return [textOf(expression) || textOf(id) || textOf(title)].filter((text) => text !== '')
    }),
    path: path ?? (textOf(occurrence?.location) || null),
    note: properties.get('tidemark:package') ?? null,
  }
}

/** The first of each name. */
function propertiesOf(component: JsonObject): Map<string, string> {
  const properties = new Map<string, string>()
  for (const { name, value } of objectsOf(component.properties)) {
    const key = textOf(name)
    if (!properties.has(key)) properties.set(key, textOf(value))
  }
  return properties
}

/** Of an image's own purl, or of a container in our own documents; what others write as its version may be its id. */
function digestOfRoot(root: JsonObject): Digest | null {
  const purl = parsePurl(textOf(root.purl))
  const digest = purl?.type === 'oci' ? (purl.version ?? '') : root['bom-ref'] === 'image' ? textOf(root.version) : ''
  return isDigest(digest) ? digest : null
}
