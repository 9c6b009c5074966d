import { gunzipSync } from 'node:zlib'
import { Fault, oneLine } from '../../core/fault.js'
import { type JsonObject, objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import { type AttestationSubject, isAttestation, unwrapAttestation } from './attestation.js'
import { vexFormats } from './list.js'
import { contextPattern } from './openvex.js'
import type { VexStatement } from './vex-format.js'

/** What a VEX document says. */
export interface VexDocument {
  /** Name of the plug-in that read it: `openvex`, `csaf`, `cyclonedx-vex`. */
  readonly format: string
  readonly statements: readonly VexStatement[]
  /** How many records were left out, as they could not be read. */
  readonly refused: number
  /** Where it was the predicate of an attestation: what that is about. null: it came bare. */
  readonly attestation: { readonly subjects: readonly AttestationSubject[]; readonly verified: false } | null
  readonly warnings: readonly string[]
}

/** Records that a warning names; of the others only their number. */
const maxNamed = 5

/**
 * Reads a VEX document: OpenVEX, CSAF 2.0 or CycloneDX, told apart by what is in it; as it is or packed with gzip; bare or as the
 * predicate of an in-toto statement or DSSE envelope, whose signature is not looked at. A statement of an attestation that names
 * no product is about the attestation's subjects. A record that cannot be read is left out and counted.
 * @param name what messages call it: a file or an address
 * @throws Fault `invalid-vex`, `too-large`
 */
export function parseVex(bytes: Uint8Array, name: string): VexDocument {
  const outer = parseJson(unpack(bytes, name), name)
  if (!isAttestation(outer)) return { ...readDocument(outer, name), attestation: null }
  const { predicateType, predicate, subjects } = unwrapAttestation(outer, name)
  const inner = objectOf(predicate)
  // The predicate of cosign has the context only in its type.
  const context = contextPattern.test(predicateType) && inner['@context'] === undefined
  const read = readDocument(context ? { '@context': predicateType, ...inner } : inner, name)
  return {
    ...read,
    statements: read.statements.map((statement) => withSubjects(statement, subjects)),
    attestation: { subjects, verified: false },
    warnings: [...read.warnings, `${name}: the signature of the attestation was not verified`],
  }
}

function withSubjects(statement: VexStatement, subjects: readonly AttestationSubject[]): VexStatement {
  if (statement.products.length > 0) return statement
  const products = subjects
    .filter(({ digests }) => digests.length > 0)
    .map(({ digests }) => ({ purls: [], digests, subcomponents: [], platform: null }))
  return { ...statement, products }
}

function readDocument(document: JsonObject, name: string): Omit<VexDocument, 'attestation'> {
  const format = vexFormats.find((one) => one.matches(document))
  if (format === undefined) throw new Fault('invalid-vex', `${name} is neither OpenVEX, nor CSAF 2.0, nor CycloneDX`)
  const { statements, refused, lacking } = format.read(document, name)
  if (statements.length === 0) {
    const why = refused[0] === undefined ? '' : ` (${oneLine(refused[0])})`
    throw new Fault('invalid-vex', `${name} has no statement that can be read${why}`)
  }
  const warnings = [
    ...warningOf(name, refused, 'could not be read and was left out', 'could not be read and were left out'),
    ...warningOf(name, lacking, 'says less than its format asks for', 'say less than their format asks for'),
  ]
  return { format: format.name, statements, refused: refused.length, warnings }
}

function warningOf(name: string, entries: readonly string[], one: string, many: string): string[] {
  if (entries.length === 0) return []
  const named = entries.slice(0, maxNamed).map((entry) => oneLine(entry.slice(0, 200)))
  const more = entries.length > maxNamed ? ` and ${entries.length - maxNamed} more` : ''
  const what = entries.length === 1 ? `1 statement ${one}` : `${entries.length} statements ${many}`
  return [`${name}: ${what}: ${named.join('; ')}${more}`]
}

/** gzip: RFC 1952, section 2.3.1. */
function unpack(bytes: Uint8Array, name: string): Uint8Array {
  const tooLarge = () => new Fault('too-large', `${name} has more than ${limits.vexBytes} bytes`)
  if (bytes.length > limits.vexBytes) throw tooLarge()
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.vexBytes })
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge()
    throw new Fault('invalid-vex', `${name} is packed with gzip and damaged`, { cause })
  }
}

function parseJson(bytes: Uint8Array, name: string): JsonObject {
  try {
    return objectOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw new Fault('invalid-vex', `${name} is no VEX document: it is not JSON`, { cause })
  }
}
