import { comparePackages } from '../core/compare-packages.js'
import { contentId, contentUuid } from '../core/content-id.js'
import type { Inventory } from '../core/inventory.js'
import { joinLicenses } from '../core/license-list.js'
import type { Package } from '../core/package.js'
import { writePackageNote } from '../core/package-note.js'
import { packageOfPurl, parsePurl } from '../core/purl.js'
import { bomOfImage } from './cyclonedx/bom.js'
import { scanBom } from './cyclonedx/scan-bom.js'
import type { PackagesFormat, ScanFormat } from './format.js'

/** `-o cyclonedx`: CycloneDX 1.6 as JSON (ECMA-424). Its ids come from its content, and it has no time. */
export const cyclonedx: PackagesFormat = {
  name: 'cyclonedx',
  mediaType: 'application/vnd.cyclonedx+json; version=1.6',
  write: (inventory) => `${JSON.stringify(bomOf(inventory), null, 2)}\n`,
}

/** `-o cyclonedx` of a scan: the same with `vulnerabilities`, and of the packages those that something was found in. */
export const scanCyclonedx: ScanFormat = {
  name: 'cyclonedx',
  mediaType: 'application/vnd.cyclonedx+json; version=1.6',
  write: (report) => `${JSON.stringify(scanBom(report), null, 2)}\n`,
}

function bomOf(inventory: Inventory): object {
  const { reference, digest, platform } = inventory.image
  const components = [...distributionComponents(inventory), ...packageComponents(inventory.packages)]
  return bomOfImage(inventory.image, {
    serial: contentUuid(reference, digest, platform, JSON.stringify(components)),
    ofImage: platform === null ? {} : { properties: [{ name: 'tidemark:platform', value: platform }] },
    content: { components },
  })
}

function distributionComponents({ distribution }: Inventory): object[] {
  if (distribution === null) return []
  const { id, versionId, name } = distribution
  return [
    {
      'bom-ref': 'operating-system',
      type: 'operating-system',
      name: id,
      ...(versionId !== null && { version: versionId }),
      description: name,
    },
  ]
}

function packageComponents(packages: readonly Package[]): object[] {
  const seen = new Map<string, number>()
  return packages.toSorted(comparePackages).map((one) => {
    const note = writePackageNote(one)
    const id = contentId(one.purl, note)
    const count = (seen.get(id) ?? 0) + 1
    seen.set(id, count)
    const license = joinLicenses(one.licenses)
    return {
      'bom-ref': count === 1 ? id : `${id}-${count}`,
      type: 'library',
      ...nameOf(one),
      ...(one.version !== '' && { version: one.version }),
      ...(license !== null && { licenses: [{ expression: license }] }),
      purl: one.purl,
      properties: [
        { name: 'tidemark:evidence', value: one.evidence },
        ...(one.layer === null ? [] : [{ name: 'tidemark:layer', value: one.layer }]),
        { name: 'tidemark:package', value: note },
      ],
    }
  })
}

/** CycloneDX has the namespace of a language's package in a field of its own. */
function nameOf({ name, purl }: Package): { group?: string; name: string } {
  const parsed = parsePurl(purl)
  const isGrouped = parsed !== null && parsed.namespace !== null && packageOfPurl(parsed).name !== parsed.name
  return isGrouped && parsed.namespace !== null ? { group: parsed.namespace, name: parsed.name } : { name }
}
