import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import type { SbomEntry, SbomFacts, SbomReader } from './sbom-reader.js'

/** SPDX 3.0 as JSON-LD in its serialized form: https://spdx.github.io/spdx-spec/v3.0.1/. */
export const spdx3: SbomReader = {
  name: 'spdx3',
  matches: (document) =>
    Array.isArray(document['@graph']) &&
    [document['@context']].flat().some((context) => textOf(context).includes('spdx.org/rdf/3')),
  read,
}

const otherPurposes = new Set(['container', 'operatingSystem', 'source', 'install', 'file', 'other'])
/** In the order in which they are asked. */
const licenseRelations = ['hasDeclaredLicense', 'hasConcludedLicense']

function read(document: JsonObject): SbomFacts {
  const graph = objectsOf(document['@graph'])
  const licenses = licensesIn(graph)
  const roots = new Set(graph.flatMap(({ rootElement }) => (Array.isArray(rootElement) ? rootElement.map(textOf) : [])))
  const entries = graph
    .filter((element) => element.type === 'software_Package')
    .filter((element) => !otherPurposes.has(textOf(element.software_primaryPurpose)))
    .filter((element) => !roots.has(textOf(element.spdxId)) || purlOf(element) !== null)
    .map((element): SbomEntry => {
      return {
        name: textOf(element.name),
        version: textOf(element.software_packageVersion),
        purl: purlOf(element),
        licenses: licenses.get(textOf(element.spdxId)) ?? [],
        path: null,
        source: null,
        note: null,
      }
    })
  const tools = graph.filter(({ type }) => type === 'Tool').map(({ name }) => textOf(name))
  const tool = tools.length === 0 ? null : tools.sort().join(', ')
  return { digest: null, platform: null, distribution: null, tool, entries }
}

function purlOf(element: JsonObject): string | null {
  const direct = textOf(element.software_packageUrl)
  if (direct !== '') return direct
  const identifier = objectsOf(element.externalIdentifier).find(({ externalIdentifierType }) => {
    return textOf(externalIdentifierType).toLowerCase() === 'packageurl'
  })
  return identifier === undefined ? null : textOf(identifier.identifier)
}

/** License expressions by the id of the element that they are of. */
function licensesIn(graph: readonly JsonObject[]): Map<string, string[]> {
  const expressions = new Map(
    graph.map((element) => [textOf(element.spdxId), textOf(objectOf(element).simplelicensing_licenseExpression)]),
  )
  const licenses = new Map<string, string[]>()
  for (const wanted of licenseRelations) {
    for (const { relationshipType, from, to } of graph) {
      const element = textOf(from)
      if (relationshipType !== wanted || licenses.has(element) || !Array.isArray(to)) continue
      const found = to
        .map((target) => expressions.get(textOf(target)) ?? '')
        .filter((text) => text !== '' && text !== 'NOASSERTION')
      if (found.length > 0) licenses.set(element, found)
    }
  }
  return licenses
}
