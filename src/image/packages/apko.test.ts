import { describe, expect, it } from 'vitest'
import { readFiles } from '../../../test/support/evidence.js'
import { apk } from './apk.js'
import { apko } from './apko.js'

const folder = 'var/lib/db/sbom'
/** As melange writes it: the apk, and the sources that it was built from. */
const document = (name: string, version: string) =>
  JSON.stringify({
    ...{ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', name: `apk-${name}` },
    packages: [
      {
        ...{ SPDXID: 'SPDXRef-Package', name, versionInfo: version, licenseDeclared: 'MIT' },
        externalRefs: [
          { referenceType: 'purl', referenceLocator: `pkg:apk/wolfi/${name}@${version}?arch=x86_64&distro=wolfi` },
        ],
      },
      {
        ...{ SPDXID: 'SPDXRef-Source', name: 'upstream', versionInfo: '1' },
        externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:github/org/upstream@1' }],
      },
    ],
  })
const files = {
  [`${folder}/a-1-r0.spdx.json`]: document('a', '1-r0'),
  [`${folder}/b-2-r1.spdx.json`]: document('b', '2-r1'),
}

describe('apko', () => {
  it('lists the packages of an image that has no database', () => {
    const { packages, warnings } = readFiles(apko, files)
    expect(warnings).toEqual([])
    expect(packages).toEqual([
      expect.objectContaining({
        ...{ type: 'apk', name: 'a', version: '1-r0', architecture: 'x86_64', licenses: ['MIT'] },
        evidence: `${folder}/a-1-r0.spdx.json`,
      }),
      expect.objectContaining({ name: 'b', version: '2-r1' }),
    ])
  })

  it('leaves it to the database where there is one', () => {
    const database = 'P:a\nV:3-r0\nA:x86_64\n\n'
    const all = { ...files, 'lib/apk/db/installed': database }
    // Readers see what the captures of all of them kept.
    const both = { ...apko, captures: [...apko.captures, ...apk.captures] }
    expect(readFiles(both, all).packages).toEqual([])
    expect(readFiles(both, { ...files, 'lib/apk/db/installed': '' }).packages).toEqual([])
  })

  it('says which file is none', () => {
    const { packages, warnings } = readFiles(apko, { ...files, [`${folder}/c.spdx.json`]: '{"a":' })
    expect(packages).toHaveLength(2)
    expect(warnings).toEqual([
      { path: `${folder}/c.spdx.json`, message: expect.stringContaining('packages that it names may be missing') },
    ])
  })
})
