import { isDigest } from '../../core/digest.js'
import { type JsonObject, objectOf, objectsOf, textOf } from '../../core/json-object.js'
import type { PackageSource } from '../../core/package.js'
import { distributionOf, evidenceIn, type SbomEntry, type SbomFacts, type SbomReader } from './sbom-reader.js'
import { sourceOfRpm } from './source-rpm.js'

/** Syft's own JSON, schema versions 1 to 16: https://github.com/anchore/syft/tree/main/schema/json. */
export const syft: SbomReader = {
  name: 'syft',
  matches: (document) => Array.isArray(document.artifacts) && textOf(objectOf(document.schema).url).includes('syft'),
  read,
}

function read(document: JsonObject): SbomFacts {
  const source = objectOf(document.source)
  // `target` until schema 7, `metadata` since.
  const { manifestDigest, os, architecture } = { ...objectOf(source.target), ...objectOf(source.metadata) }
  const { id, name, version, versionID, prettyName } = objectOf(document.distro)
  const digest = textOf(manifestDigest)
  const platform = [textOf(os), textOf(architecture)]
  return {
    digest: isDigest(digest) ? digest : null,
    platform: platform.includes('') ? null : platform.join('/'),
    distribution: distributionOf(textOf(id) || textOf(name), textOf(versionID) || textOf(version), textOf(prettyName)),
    tool: toolOf(objectOf(document.descriptor)),
    entries: objectsOf(document.artifacts).map(entryOf),
  }
}

function toolOf({ name, version }: JsonObject): string | null {
  return textOf(name) === '' ? null : `${textOf(name)} ${textOf(version)}`.trimEnd()
}

function entryOf(artifact: JsonObject): SbomEntry {
  const { name, version, purl, licenses, locations, metadata } = artifact
  return {
    name: textOf(name),
    version: textOf(version),
    purl: textOf(purl) || null,
    // Texts until schema 8, objects since.
    licenses: (Array.isArray(licenses) ? licenses : [])
      .map((license) => textOf(license) || textOf(objectOf(license).spdxExpression) || textOf(objectOf(license).value))
      .filter((text) => text !== ''),
    path: evidenceIn(pathsOf(objectsOf(locations))),
    source: sourceOf(objectOf(metadata), textOf(version)),
    note: null,
  }
}

/** Since schema 11 locations are marked: what names the package is primary, the rest supports it. */
function pathsOf(locations: readonly JsonObject[]): string[] {
  const primary = locations.filter(({ annotations }) => objectOf(annotations).evidence === 'primary')
  return (primary.length > 0 ? primary : locations).map(({ path }) => textOf(path)).filter((path) => path !== '')
}

/** The databases' own fields: dpkg's `source`, apk's `originPackage`, rpm's `sourceRpm`. */
function sourceOf(
  { source, sourceVersion, originPackage, sourceRpm }: JsonObject,
  version: string,
): PackageSource | null {
  if (textOf(sourceRpm) !== '') return sourceOfRpm(textOf(sourceRpm))
  const name = textOf(source) || textOf(originPackage)
  return name === '' ? null : { name, version: textOf(sourceVersion) || version }
}
