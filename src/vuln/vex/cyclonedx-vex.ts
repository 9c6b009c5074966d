import { Fault } from '../../core/fault.js'
import { type JsonObject, objectOf, objectsOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import {
  componentOf,
  textOf,
  timeOf,
  type VexContent,
  type VexFormat,
  type VexProduct,
  type VexStatement,
} from './vex-format.js'

/**
 * CycloneDX 1.4 to 1.6 with `vulnerabilities[].analysis` (ECMA-424, "Vulnerability Exploitability"). What it is about is a
 * `bom-ref` of the document, a BOM-Link (`urn:cdx:…#bom-ref`) or a package URL; the BOM behind a link is not fetched.
 */
export const cyclonedxVex: VexFormat = {
  name: 'cyclonedx-vex',
  matches: ({ bomFormat }) => bomFormat === 'CycloneDX',
  read,
}

type Status = VexStatement['status']

const states: Readonly<Record<string, Status>> = {
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
  exploitable: 'affected',
  in_triage: 'under_investigation',
  false_positive: 'not_affected',
  not_affected: 'not_affected',
}

/** In OpenVEX's words: the nearest of each. */
const justifications: Readonly<Record<string, string>> = {
  code_not_present: 'vulnerable_code_not_present',
  code_not_reachable: 'vulnerable_code_not_in_execute_path',
  requires_configuration: 'vulnerable_code_cannot_be_controlled_by_adversary',
  requires_dependency: 'component_not_present',
  requires_environment: 'vulnerable_code_cannot_be_controlled_by_adversary',
  protected_by_compiler: 'inline_mitigations_already_exist',
  protected_at_runtime: 'inline_mitigations_already_exist',
  protected_at_perimeter: 'inline_mitigations_already_exist',
  protected_by_mitigating_control: 'inline_mitigations_already_exist',
}

function read(document: JsonObject, name: string): VexContent {
  const vulnerabilities = objectsOf(document.vulnerabilities)
  if (vulnerabilities.length === 0) {
    throw new Fault('invalid-vex', `${name} is a CycloneDX document without vulnerabilities: it says nothing of any`)
  }
  const components = componentsByRef(document)
  const metadata = objectOf(document.metadata)
  const common = { document: name, author: authorOf(metadata), at: timeOf(metadata.timestamp) }
  const content = { statements: [] as VexStatement[], refused: [] as string[], lacking: [] as string[] }
  let left: number = limits.vexProducts
  for (const [index, entry] of vulnerabilities.entries()) {
    const refuse = (why: string) => content.refused.push(`vulnerability ${index + 1}: ${why}`)
    const vulnerability = namesOf(entry)
    const analysis = objectOf(entry.analysis)
    const status = Object.hasOwn(states, textOf(analysis.state)) ? states[textOf(analysis.state)] : undefined
    if (vulnerability.length === 0) refuse('it has no id')
    else if (entry.analysis === undefined) refuse('it has no analysis')
    else if (status === undefined) refuse(`'${textOf(analysis.state).slice(0, 60)}' is no state`)
    else {
      const word = textOf(analysis.justification)
      const statement: VexStatement = {
        ...common,
        at: timeOf(analysis.lastUpdated) ?? timeOf(analysis.firstIssued) ?? common.at,
        vulnerability,
        status,
        products: objectsOf(entry.affects).flatMap((affected) => productsOf(affected, status, components)),
        justification: Object.hasOwn(justifications, word) ? (justifications[word] ?? null) : null,
        statement: statementOf(entry, analysis),
      }
      left -= statement.products.length
      if (left < 0) throw new Fault('too-large', `${name} names more than ${limits.vexProducts} products`)
      content.statements.push(statement)
      const { justification, statement: said } = statement
      if (status === 'not_affected' && justification === null && said === null) {
        content.lacking.push(`${vulnerability[0]}: not_affected without a justification or a detail`)
      }
    }
  }
  return content
}

function namesOf({ id, references }: JsonObject): string[] {
  const names = [textOf(id), ...objectsOf(references).map((reference) => textOf(reference.id))]
  return [...new Set(names)].filter((name) => name !== '')
}

function authorOf({ authors, manufacturer, manufacture, supplier }: JsonObject): string | null {
  const named = [objectsOf(authors)[0], manufacturer, manufacture, supplier].map((one) => textOf(objectOf(one).name))
  return named.find((name) => name !== '') ?? null
}

function statementOf({ recommendation, workaround }: JsonObject, { state, detail }: JsonObject): string | null {
  const said = [detail, recommendation, workaround].map(textOf).find((text) => text !== '')
  return said ?? (state === 'false_positive' ? 'a false positive' : null)
}

/** Components hold components, to any depth: an explicit stack, so that the depth costs nothing. */
function componentsByRef(document: JsonObject): Map<string, JsonObject> {
  const components = new Map<string, JsonObject>()
  const stack = [objectOf(objectOf(document.metadata).component), ...objectsOf(document.components)]
  for (let component = stack.pop(); component !== undefined; component = stack.pop()) {
    const ref = textOf(component['bom-ref'])
    if (ref !== '') components.set(ref, component)
    for (const inner of objectsOf(component.components)) stack.push(inner)
  }
  return components
}

/** What `affects` names, once for each version that it lists. */
function productsOf(affected: JsonObject, status: Status, components: ReadonlyMap<string, JsonObject>): VexProduct[] {
  const ref = textOf(affected.ref)
  const fragment = ref.startsWith('urn:cdx:') ? decoded(ref.slice(ref.indexOf('#') + 1)) : ref
  const { purl, type, version, hashes } = components.get(ref) ?? {}
  const digests = objectsOf(hashes).map(
    ({ alg, content }) => `${textOf(alg).toLowerCase().replace('-', '')}:${textOf(content)}`,
  )
  const isImage = type === 'container'
  const product = componentOf([fragment, textOf(purl), ...(isImage ? [textOf(version), ...digests] : [])])
  const whole = { ...product, subcomponents: [], platform: null }
  const versions = objectsOf(affected.versions)
  if (versions.length === 0) return [whole]
  return versions
    .filter((one) => textOf(one.version) !== '' && isMeant(textOf(one.status), status))
    .map((one) => ({
      ...whole,
      digests: [],
      purls: product.purls
        .filter((named) => named.version === null || named.version === textOf(one.version))
        .map((named) => ({ ...named, version: textOf(one.version) })),
    }))
}

/** Whether the analysis is of a version that `affects` lists with this word ("affected" where there is none). */
function isMeant(word: string, status: Status): boolean {
  if (word === '' || word === 'unknown') return word === ''
  const isUnaffected = status === 'not_affected' || status === 'fixed'
  return (word === 'unaffected') === isUnaffected
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}
