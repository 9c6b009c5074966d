import { Fault } from '../../core/fault.js'
import { type JsonObject, objectOf, objectsOf } from '../../core/json-object.js'
import { textOf } from './vex-format.js'

/** What an attestation is about. */
export interface AttestationSubject {
  readonly name: string
  /** `sha256:…` */
  readonly digests: readonly string[]
}

/** An in-toto statement, unwrapped. */
export interface Attestation {
  /** `https://openvex.dev/ns/v0.2.0` */
  readonly predicateType: string
  readonly predicate: unknown
  readonly subjects: readonly AttestationSubject[]
  /** How many signatures its envelope carries. None was verified: whoever wrote it may say whatever they like. */
  readonly signatures: number
}

/** An envelope in a Sigstore bundle, a statement in an envelope. */
const maxWrappers = 4

/** Whether a document is an in-toto statement, a DSSE envelope around one, or a Sigstore bundle around that. */
export function isAttestation(document: JsonObject): boolean {
  return (
    document.dsseEnvelope !== undefined ||
    (document.payloadType !== undefined && document.payload !== undefined) ||
    statementType.test(textOf(document._type))
  )
}

/**
 * The in-toto statement (v0.1, v1) in a DSSE envelope (https://github.com/secure-systems-lab/dsse, v1.0), a Sigstore bundle or
 * as it is. Signatures are counted, not verified.
 * @param name what messages call it
 * @throws Fault `invalid-vex`
 */
export function unwrapAttestation(document: JsonObject, name: string): Attestation {
  let inner = document
  let signatures = 0
  for (let wrapper = 0; wrapper < maxWrappers; wrapper++) {
    if (inner.dsseEnvelope !== undefined) inner = objectOf(inner.dsseEnvelope)
    else if (inner.payload !== undefined) {
      signatures += objectsOf(inner.signatures).length
      inner = parsePayload(inner.payload, name)
    } else if (statementType.test(textOf(inner._type))) {
      const { predicateType, predicate, subject } = inner
      return {
        predicateType: textOf(predicateType),
        predicate,
        subjects: objectsOf(subject).map(subjectOf),
        signatures,
      }
    } else break
  }
  throw new Fault('invalid-vex', `${name} is an envelope without an in-toto statement in it`)
}

const statementType = /^https:\/\/in-toto\.io\/Statement\/v\d/

function subjectOf({ name, digest }: JsonObject): AttestationSubject {
  const digests = Object.entries(objectOf(digest))
    .filter(([algorithm, value]) => /^sha(?:256|512)$/.test(algorithm) && /^[0-9a-f]+$/.test(textOf(value)))
    .map(([algorithm, value]) => `${algorithm}:${textOf(value)}`)
  return { name: textOf(name), digests }
}

function parsePayload(payload: unknown, name: string): JsonObject {
  try {
    if (typeof payload !== 'string') throw new TypeError('the payload is no text')
    return objectOf(JSON.parse(Buffer.from(payload, 'base64').toString('utf8')))
  } catch (cause) {
    throw new Fault('invalid-vex', `${name} is an envelope whose payload cannot be read`, { cause })
  }
}
