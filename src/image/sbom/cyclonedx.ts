import { type Digest, isDigest } from '../../core/digest.js'
import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import type { PackageSource } from '../../core/package.js'
import { parsePurl } from '../../core/purl.js'
import {
  distributionOf,
  evidenceIn,
  platformOfPurl,
  type SbomEntry,
  type SbomFacts,
  type SbomReader,
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
  'machine-learning-model',
])
/** Properties that name a file a component was found in: Syft's and Trivy's. */
const pathProperty = /^(?:syft:location:\d+:path|aquasecurity:trivy:FilePath)$/
/** Trivy's mark of what stands for a lock file or a set of programs: their packages are components of their own. */
const groupProperty = 'aquasecurity:trivy:Class'

function read(document: JsonObject): SbomFacts {
  const root = objectOf(objectOf(document.metadata).component)
  const components = allComponents(document)
  const system = components.find(({ type }) => type === 'operating-system') ?? {}
  const properties = propertiesOf(system)
  return {
    digest: digestOfRoot(root),
    platform: propertiesOf(root).get('tidemark:platform') ?? platformOfPurl(textOf(root.purl)),
    distribution: distributionOf(
      properties.get('syft:distro:id') ?? textOf(system.name),
      properties.get('syft:distro:versionID') ?? textOf(system.version),
      textOf(system.description),
    ),
    tool: toolIn(document),
    entries: components
      .filter((component) => textOf(component.purl) !== '' || mayBePackage(component))
      .filter(({ type, scope }) => type !== 'operating-system' && type !== 'container' && scope !== 'excluded')
      .map(entryOf),
  }
}

/** `metadata.tools`: a list until 1.4, an object of components since. */
function toolIn(document: JsonObject): string | null {
  const { tools } = objectOf(document.metadata)
  const named = (Array.isArray(tools) ? objectsOf(tools) : objectsOf(objectOf(tools).components))
    .map(({ name, version }) => `${textOf(name)} ${textOf(version)}`.trim())
    .filter((text) => text !== '')
  return named.length === 0 ? null : named.sort().join(', ')
}

/** Whether a component without a package URL is a package all the same. */
function mayBePackage(component: JsonObject): boolean {
  return !otherTypes.has(textOf(component.type)) && !propertiesOf(component).has(groupProperty)
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
  const occurrences = objectsOf(objectOf(component.evidence).occurrences).map(({ location }) => textOf(location))
  const paths = [...properties].filter(([property]) => pathProperty.test(property)).map(([, path]) => path)
  return {
    name: group === '' ? name : `${group}/${name}`,
    version: textOf(component.version),
    purl: textOf(component.purl) || null,
    licenses: objectsOf(component.licenses).flatMap(({ license, expression }) => {
      const { id, name: title } = objectOf(license)
      return [textOf(expression) || textOf(id) || textOf(title)].filter((text) => text !== '')
    }),
    path: properties.get('tidemark:evidence') ?? evidenceIn([...paths, ...occurrences]),
    source: sourceOf(properties),
    note: properties.get('tidemark:package') ?? null,
  }
}

/** Trivy's properties. */
function sourceOf(properties: ReadonlyMap<string, string>): PackageSource | null {
  const of = (field: string) => properties.get(`aquasecurity:trivy:Src${field}`) ?? ''
  const [epoch, release] = [of('Epoch'), of('Release')]
  if (of('Name') === '') return null
  const version = `${epoch === '' || epoch === '0' ? '' : `${epoch}:`}${of('Version')}${release && `-${release}`}`
  return { name: of('Name'), version }
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
