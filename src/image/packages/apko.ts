import { isFault } from '../../core/fault.js'
import { readSbom } from '../sbom/read-sbom.js'
import { distinctPackages, limitWarnings } from './os-evidence.js'
import type { PackageReader } from './package-reader.js'

const kind = 'apko-sbom'
const folder = 'var/lib/db/sbom'

/**
 * The SBOMs that melange puts into each apk, and apko leaves in the image: one file for each package, SPDX 2.3. They are read
 * only where the image has no database of apk, which knows better; without them such an image would seem empty.
 */
export const apko: PackageReader = {
  name: 'apko',
  version: 1,
  captures: [
    {
      kind,
      directories: [folder],
      wants: (path) => path.endsWith('.spdx.json'),
      // Some kilobytes; of packages with many sources a few hundred.
      maxBytes: 4 * 1024 * 1024,
    },
  ],
  *read(files, warn) {
    // An empty one says that there is no package.
    for (const _database of files.list('apk-installed')) return
    const warnOf = limitWarnings(warn)
    const found = [...files.list(kind)].flatMap(({ path, bytes }) => {
      try {
        const { packages } = readSbom(bytes, { reference: path, evidence: 'image-sbom' })
        return packages
          .filter(({ type }) => type === 'apk')
          .map(({ purl: _purl, layer: _layer, ownedBy: _ownedBy, ...one }) => ({ ...one, evidence: path }))
      } catch (error) {
        if (!isFault(error, 'unsupported-media', 'too-large')) throw error
        warnOf({ path, message: `${error.message}; packages that it names may be missing` })
        return []
      }
    })
    yield* distinctPackages(found)
  },
}
