import { oneLine } from '../../core/fault.js'
import type { FoundPackage } from '../../core/package.js'
import { toLicenseExpression } from '../../core/spdx.js'
import { isWord } from './os-evidence.js'
import type { EvidenceFile, ReadWarning } from './package-reader.js'

/** What a manifest of a language's package manager says, as it is kept. Names are as written and not yet checked. */
export interface KeptPackage {
  readonly name: string
  readonly version: string
  readonly licenses?: readonly string[]
  readonly architecture?: string
  readonly location?: string
}

/** What is kept of one file: its packages, and sentences on what of it cannot be read. */
export interface KeptFile {
  readonly packages: readonly KeptPackage[]
  readonly problems: readonly string[]
}

/** A JSON object with whatever keys it came with. */
export type JsonObject = Readonly<Record<string, unknown>>

/** No manifest that is read here names so many; what is more is left out with a warning. */
const maxPackagesOfFile = 100_000
/** A package with more license names than that lists the licenses of its parts. */
const maxLicenses = 50

/** Whether `value` is a JSON object, and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string without white space around it; empty for anything else. Versions that somebody wrote as a number are no strings. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

/**
 * JSON in UTF-8 with or without a byte order mark; what is none becomes a sentence through `refuse`, and gives undefined.
 */
export function parseJson(bytes: Buffer, refuse: (problem: string) => void): unknown {
  const text = bytes.toString()
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
  } catch (error) {
    refuse(`it is not valid JSON (${oneLine(String((error as Error).message)).slice(0, 120)})`)
    return undefined
  }
}

/** What a reducer of one file found, as bytes; null when there is nothing to keep. */
export function keepFile(packages: readonly KeptPackage[], problems: readonly string[] = []): Uint8Array | null {
  if (packages.length === 0 && problems.length === 0) return null
  return Buffer.from(JSON.stringify({ packages: packages.slice(0, maxPackagesOfFile), problems }))
}

/** What {@link keepFile} kept. */
export function readKept({ bytes }: EvidenceFile): KeptFile {
  return JSON.parse(bytes.toString()) as KeptFile
}

/** The packages of one kept file; what has no readable name or version is told. `toFound` gives the rest. */
export function* foundPackages(
  file: EvidenceFile,
  type: string,
  warn: (warning: ReadWarning) => void,
): Generator<FoundPackage, void> {
  const kept = readKept(file)
  for (const problem of kept.problems) warn({ path: file.path, message: `${problem}, and gives no package` })
  for (const found of kept.packages) {
    const { name, version } = found
    if (isWord(name) && isWord(version)) yield toFound(found, type, file.path)
    else
      warn({
        path: file.path,
        message: `the package '${oneLine(name)}' has no readable name and version, and is left out`,
      })
  }
}

/** A package of a language's package manager. */
export function toFound(kept: KeptPackage, type: string, evidence: string): FoundPackage {
  return {
    type,
    name: kept.name,
    version: kept.version,
    architecture: kept.architecture ?? null,
    source: null,
    licenses: toLicenses(kept.licenses ?? []),
    evidence,
    ...(kept.location !== undefined && kept.location !== evidence && { location: kept.location }),
  }
}

/**
 * Names of licenses as people write them into manifests of languages, folded by {@link foldLicenseName}, where they mean
 * exactly one license of the SPDX list.
 */
const freeNames = new Map([
  ['apache 2', 'Apache-2.0'],
  ['apache 2.0', 'Apache-2.0'],
  ['apache license 2.0', 'Apache-2.0'],
  ['bsd 2 clause', 'BSD-2-Clause'],
  ['bsd 3 clause', 'BSD-3-Clause'],
  ['new bsd', 'BSD-3-Clause'],
  ['modified bsd', 'BSD-3-Clause'],
  ['simplified bsd', 'BSD-2-Clause'],
  ['mit', 'MIT'],
  ['isc', 'ISC'],
  ['mpl 2.0', 'MPL-2.0'],
  ['mozilla public license 2.0', 'MPL-2.0'],
  ['unlicense', 'Unlicense'],
  ['python software foundation', 'PSF-2.0'],
  ['psf', 'PSF-2.0'],
  ['zope public license 2.1', 'ZPL-2.1'],
  ['zpl 2.1', 'ZPL-2.1'],
])

/** SPDX expressions of the names of licenses, each once. */
export function toLicenses(names: readonly string[]): string[] {
  const expressions = names
    .slice(0, maxLicenses)
    .map((name) => freeNames.get(foldLicenseName(name)) ?? toLicenseExpression(name, 'name'))
  return [...new Set(expressions.filter((expression) => expression !== null))]
}

/** `The Apache License, Version 2.0` gives `apache license 2.0`; names of one license differ in no more than this. */
function foldLicenseName(name: string): string {
  return name
    .slice(0, 100)
    .toLowerCase()
    .replaceAll(/[\s,;_-]+|\bversion\b|\bv(?=\d)|\bthe\b/g, ' ')
    .replaceAll(/ +/g, ' ')
    .replace(/ licen[sc]e$/, '')
    .trim()
}

/** Passes each on that no one before equals in name, version and evidence. */
export function* distinctFound(packages: Iterable<FoundPackage>): Generator<FoundPackage, void> {
  const seen = new Set<string>()
  for (const found of packages) {
    const key = `${found.type}\0${found.name}\0${found.version}\0${found.evidence}`
    if (!seen.has(key)) yield found
    seen.add(key)
  }
}
