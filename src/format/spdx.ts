import { comparePackages } from '../core/compare-packages.js'
import { contentId, contentUuid } from '../core/content-id.js'
import type { Inventory } from '../core/inventory.js'
import { joinLicenses, licenseReferences } from '../core/license-list.js'
import type { Package } from '../core/package.js'
import { writePackageNote } from '../core/package-note.js'
import type { PackagesFormat } from './format.js'

/** A document must have a time; one that is not of now, so that the same packages give the same document. */
const created = '1970-01-01T00:00:00Z'
const annotator = 'Tool: tidemark'
const imageId = 'SPDXRef-Image'
const noAssertion = 'NOASSERTION'

/** Clause 7, "Package Information". */
interface SpdxElement {
  readonly SPDXID: string
  readonly [field: string]: unknown
}

/** `-o spdx`: SPDX 2.3 as JSON (https://spdx.github.io/spdx-spec/v2.3/). Its ids come from its content. */
export const spdx: PackagesFormat = {
  name: 'spdx',
  mediaType: 'application/spdx+json',
  write: (inventory) => `${JSON.stringify(documentOf(inventory), null, 2)}\n`,
}

function documentOf(inventory: Inventory): object {
  const { image } = inventory
  const packages = inventory.packages.toSorted(comparePackages)
  const ids = uniqueIds(packages)
  const elements = [
    ...distributionElements(inventory),
    ...packages.map((one, index) => packageElement(one, ids[index] ?? '')),
  ]
  const content = JSON.stringify(elements)
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: image.reference,
    documentNamespace: `https://spdx.org/spdxdocs/tidemark-${contentUuid(image.reference, image.digest, image.platform, content)}`,
    creationInfo: { created, creators: [annotator] },
    packages: [imageElement(inventory), ...elements],
    ...extractedLicenses(packages),
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: imageId },
      ...elements.map(({ SPDXID }) => {
        return { spdxElementId: imageId, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID }
      }),
    ],
  }
}

const unstated = {
  downloadLocation: noAssertion,
  filesAnalyzed: false,
  licenseConcluded: noAssertion,
  copyrightText: noAssertion,
}

function imageElement({ image: { reference, digest, platform } }: Inventory): object {
  return {
    SPDXID: imageId,
    name: reference,
    ...(digest !== null && { versionInfo: digest }),
    ...(platform !== null && { summary: platform }),
    primaryPackagePurpose: 'CONTAINER',
    ...unstated,
    licenseDeclared: noAssertion,
  }
}

function distributionElements({ distribution }: Inventory): SpdxElement[] {
  if (distribution === null) return []
  const { id, versionId, name } = distribution
  return [
    {
      SPDXID: 'SPDXRef-OperatingSystem',
      name: id,
      ...(versionId !== null && { versionInfo: versionId }),
      summary: name,
      primaryPackagePurpose: 'OPERATING-SYSTEM',
      ...unstated,
      licenseDeclared: noAssertion,
    },
  ]
}

function packageElement(one: Package, SPDXID: string): SpdxElement {
  const { name, version, purl, licenses, source, evidence } = one
  return {
    SPDXID,
    name,
    ...(version !== '' && { versionInfo: version }),
    ...unstated,
    licenseDeclared: joinLicenses(licenses) ?? noAssertion,
    sourceInfo: `${evidence}${source === null ? '' : `; built from ${source.name} ${source.version}`}`,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
    annotations: [{ annotationDate: created, annotationType: 'OTHER', annotator, comment: writePackageNote(one) }],
  }
}

/** Copies that differ in nothing at all get a number. */
function uniqueIds(packages: readonly Package[]): string[] {
  const seen = new Map<string, number>()
  return packages.map((one) => {
    const id = `SPDXRef-Package-${contentId(one.purl, writePackageNote(one))}`
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    return count === 1 ? id : `${id}-${count}`
  })
}

/** Annex D: a license that is not of the list must be described in the document. */
function extractedLicenses(packages: readonly Package[]): object {
  const references = licenseReferences(packages)
  if (references.length === 0) return {}
  return {
    hasExtractedLicensingInfos: references.map((licenseId) => ({
      licenseId,
      name: licenseId.slice('LicenseRef-'.length),
      extractedText: 'A package database names this license; its text was not read.',
    })),
  }
}
