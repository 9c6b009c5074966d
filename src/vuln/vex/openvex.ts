import { type JsonObject, objectOf, objectsOf } from '../../core/json-object.js'
import {
  componentOf,
  textOf,
  textsOf,
  timeOf,
  type VexComponent,
  type VexContent,
  type VexFormat,
  type VexProduct,
  type VexStatement,
} from './vex-format.js'

/**
 * OpenVEX 0.0.x and 0.2.0 (https://github.com/openvex/spec, OPENVEX-SPEC.md). A statement without an author or a time has those
 * of its document. Products are texts in 0.0.x, objects in 0.2.0; both are read in either.
 */
export const openvex: VexFormat = {
  name: 'openvex',
  matches: (document) => contextPattern.test(contextOf(document)),
  read,
}

/** `https://openvex.dev/ns`, `https://openvex.dev/ns/v0.2.0`; also the predicate type of an attestation. */
export const contextPattern = /^https:\/\/openvex\.dev\/ns(?:\/v?\d[\w.]*)?\/?$/

const statuses = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const
/** "Status Justifications". */
const justifications: ReadonlySet<string> = new Set([
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
])

function contextOf(document: JsonObject): string {
  const context = document['@context']
  return textOf(Array.isArray(context) ? context[0] : context)
}

function read(document: JsonObject, name: string): VexContent {
  const author = textOf(document.author) || null
  // "Inheritance Model": the time of a statement is that of its document, not of the document's last change.
  const at = timeOf(document.timestamp) ?? timeOf(document.last_updated)
  const content = { statements: [] as VexStatement[], refused: [] as string[], lacking: [] as string[] }
  for (const [index, entry] of objectsOf(document.statements).entries()) {
    const read = readStatement(entry, { document: name, author, at })
    if (typeof read === 'string') {
      content.refused.push(`statement ${index + 1}: ${read}`)
      continue
    }
    content.statements.push(read)
    const lack = lackOf(read)
    if (lack !== null) content.lacking.push(`${read.vulnerability[0]}: ${lack}`)
  }
  return content
}

/** A statement, or why it is none. */
function readStatement(
  entry: JsonObject,
  inherited: Pick<VexStatement, 'document' | 'author' | 'at'>,
): VexStatement | string {
  const vulnerability = namesOf(entry.vulnerability)
  if (vulnerability.length === 0) return 'it names no vulnerability'
  const status = statuses.find((word) => word === entry.status)
  if (status === undefined) return `'${textOf(entry.status).slice(0, 60)}' is no status`
  const justification = textOf(entry.justification)
  if (justification !== '' && !justifications.has(justification)) {
    return `'${justification.slice(0, 60)}' is no justification`
  }
  return {
    ...inherited,
    at: timeOf(entry.timestamp) ?? inherited.at,
    vulnerability,
    products: (Array.isArray(entry.products) ? entry.products : []).map((product: unknown) =>
      productOf(product, entry.subcomponents),
    ),
    status,
    justification: justification || null,
    statement: textOf(entry.impact_statement) || textOf(entry.action_statement) || null,
  }
}

/** A text in 0.0.x, an object in 0.2.0, whose `@id` is an address that often ends in the name. */
function namesOf(vulnerability: unknown): string[] {
  if (typeof vulnerability === 'string') return vulnerability === '' ? [] : [textOf(vulnerability)]
  const { name, aliases, '@id': id } = objectOf(vulnerability)
  const named = textOf(name) || (textOf(id).split(/[/#]/).pop() ?? '')
  return [...new Set([named, ...textsOf(aliases)])].filter((text) => text !== '')
}

/** In 0.0.x subcomponents stood beside the products, of which all have them. */
function productOf(product: unknown, shared: unknown): VexProduct {
  const own = objectOf(product).subcomponents
  const parts = Array.isArray(own) ? own : Array.isArray(shared) ? shared : []
  return { ...named(product), subcomponents: parts.map(named), platform: null }
}

function named(value: unknown): VexComponent {
  if (typeof value === 'string') return componentOf([textOf(value)])
  const { '@id': id, identifiers, hashes } = objectOf(value)
  const hash = (algorithm: string) => `${algorithm.replace('-', '')}:${textOf(objectOf(hashes)[algorithm])}`
  return componentOf([textOf(id), textOf(objectOf(identifiers).purl), hash('sha-256'), hash('sha-512')])
}

/** What the specification asks for and the statement has not ("Status Labels", "Products"). */
function lackOf({ status, justification, statement, products }: VexStatement): string | null {
  if (products.length === 0) return 'it names no product'
  if (status === 'not_affected' && justification === null && statement === null) {
    return 'not_affected without a justification or an impact statement'
  }
  return status === 'affected' && statement === null ? 'affected without an action statement' : null
}
