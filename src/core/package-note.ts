import { isDigest } from './digest.js'
import type { Package } from './package.js'

/** What a package URL does not say of a package. */
type Noted = Omit<Package, 'purl'>

/** A note is a few hundred characters. */
const maxNoteLength = 64 * 1024

/**
 * What SPDX and CycloneDX have no field for, as one text: written into our own documents, so that reading one back gives the
 * same packages. JSON.
 */
export function writePackageNote(one: Package): string {
  const { type, name, version, architecture, source, licenses, evidence, layer, ownedBy } = one
  const { isVirtual, module, installedBytes } = one
  // What is not there leaves no key, however it is said that it is not.
  return JSON.stringify({
    type,
    name,
    version,
    architecture,
    source,
    licenses,
    evidence,
    layer,
    ownedBy,
    isVirtual: isVirtual || undefined,
    module: module ?? undefined,
    installedBytes: installedBytes ?? undefined,
  })
}

/** The inverse of {@link writePackageNote}; null for anything else. */
export function readPackageNote(text: string): Noted | null {
  const note = parse(text)
  if (note === null) return null
  const { type, name, version, architecture, source, licenses, evidence, layer, ownedBy } = note
  const { isVirtual, module, installedBytes } = note
  const isNamed = isText(type) && type !== '' && isText(name) && name !== '' && isText(version) && isText(evidence)
  if (!isNamed || !Array.isArray(licenses) || !licenses.every(isText)) return null
  return {
    type,
    name,
    version,
    architecture: isText(architecture) ? architecture : null,
    source: readSource(source),
    licenses,
    evidence,
    layer: isText(layer) && isDigest(layer) ? layer : null,
    ownedBy: isText(ownedBy) ? ownedBy : null,
    ...(isVirtual === true && { isVirtual }),
    ...(isText(module) && { module }),
    ...(Number.isSafeInteger(installedBytes) && { installedBytes: installedBytes as number }),
  }
}

function readSource(value: unknown): Package['source'] {
  if (!isRecord(value) || !isText(value.name) || !isText(value.version)) return null
  return { name: value.name, version: value.version }
}

function parse(text: string): Record<string, unknown> | null {
  if (text.length > maxNoteLength || !text.startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
