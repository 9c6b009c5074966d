import { isDigest } from '../../core/digest.js'
import {
  distributionOf,
  type JsonObject,
  objectOf,
  objectsOf,
  type SbomEntry,
  type SbomFacts,
  type SbomReader,
  textOf,
} from './sbom-reader.js'

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
    entries: objectsOf(document.artifacts).map(entryOf),
  }
}

function entryOf(artifact: JsonObject): SbomEntry {
  const { name, version, purl, licenses, locations } = artifact
  return {
    name: textOf(name),
    version: textOf(version),
    purl: textOf(purl) || null,
    // Texts until schema 8, objects since.
    licenses: (Array.isArray(licenses) ? licenses : [])
      .map((license) => textOf(license) || textOf(objectOf(license).spdxExpression) || textOf(objectOf(license).value))
      .filter((text) => text !== ''),
    path: textOf(objectsOf(locations)[0]?.path) || null,
    note: null,
  }
}
