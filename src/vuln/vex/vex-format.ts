import { isFault } from '../../core/fault.js'
import type { VexVerdict } from '../../core/finding.js'
import type { JsonObject } from '../../core/json-object.js'
import { type Purl, parsePurl } from '../../core/purl.js'
import { parseTime } from '../../core/time.js'

/** Reads one kind of VEX document. One object a file, one line in list.ts. What a document holds is never trusted to have its type. */
export interface VexFormat {
  /** The name of its file. */
  readonly name: string
  /** Whether a document says that it is of this kind. */
  matches(document: JsonObject): boolean
  /** @throws Fault `invalid-vex` when the document as a whole is not what it says */
  read(document: JsonObject, name: string): VexContent
}

/** What a document says, and what of it could not be read. */
export interface VexContent {
  readonly statements: readonly VexStatement[]
  /** Records that were left out: each with its reason. */
  readonly refused: readonly string[]
  /** Statements that are kept though the format asks for more than they say: each with what is missing. */
  readonly lacking: readonly string[]
}

/** What somebody says of vulnerabilities in products, in the words of OpenVEX 0.2.0. */
export interface VexStatement extends Omit<VexVerdict, 'at'> {
  /** Milliseconds since the epoch; null where nothing says so. */
  readonly at: number | null
  /** Its name and its other names; never empty. */
  readonly vulnerability: readonly string[]
  /** What it is about. Empty: nothing says so, and it applies to nothing. */
  readonly products: readonly VexProduct[]
}

/** Something that a statement is about. */
export interface VexProduct extends VexComponent {
  /** Where only these parts of the product are meant; empty: the product itself. */
  readonly subcomponents: readonly VexComponent[]
  /** The release of a distribution that it is a part of (CSAF "default_component_of"); null where it is of none. */
  readonly platform: VexPlatform | null
}

/** A package or an image by the names that documents have for it. One that has none is known to nobody here. */
export interface VexComponent {
  readonly purls: readonly Purl[]
  /** `sha256:…` of an image's manifest. */
  readonly digests: readonly string[]
}

/** What a package is a part of. */
export interface VexPlatform {
  /** CPE 2.2 or 2.3; null where only a name is given. */
  readonly cpe: string | null
}

/** `value` when it is a text, else an empty one. Texts end in terminals: a longer one than `maxTextLength` is cut. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, maxTextLength) : ''
}

/** The texts of `value` when it is a list, without empty ones. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textOf).filter((text) => text !== '') : []
}

/** A time as milliseconds since the epoch; null where there is none that can be read. */
export function timeOf(value: unknown): number | null {
  const text = textOf(value)
  if (text === '') return null
  try {
    return parseTime(text)
  } catch (error) {
    if (isFault(error, 'invalid-time')) return null
    throw error
  }
}

/** A component that has `texts` as its names, as far as these are package URLs or digests. */
export function componentOf(texts: readonly string[]): VexComponent {
  const purls: Purl[] = []
  const digests: string[] = []
  for (const text of new Set(texts)) {
    const purl = parsePurl(text)
    if (purl !== null) purls.push(purl)
    else if (digestPattern.test(text)) digests.push(text)
  }
  return { purls, digests }
}

/** An impact statement is some sentences; purls are below 8 kB. */
const maxTextLength = 8_192
const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
