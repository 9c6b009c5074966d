import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Distribution, Package } from '../../src/core/package.js'
import { packagePurl } from '../../src/core/purl.js'
import { parseRelease } from '../../src/image/os-release.js'
import { apk } from '../../src/image/packages/apk.js'
import { dpkg } from '../../src/image/packages/dpkg.js'
import { gunzip, readFiles } from './evidence.js'
import { filesOfTar } from './tar-files.js'

/** The packages of the distribution in an image, a root file system or a database of the shared data, by its name there. */
export function sharedPackages(
  shared: string,
  name: string,
): { distribution: Distribution | null; packages: Package[] } {
  const files = filesOf(join(shared, 'data'), name)
  const release = files['etc/os-release'] ?? files['usr/lib/os-release']
  const distribution = release === undefined ? null : parseRelease('etc/os-release', release.toString())
  const found = [apk, dpkg].flatMap((reader) => readFiles(reader, files).packages)
  return {
    distribution,
    packages: found.map((one) => ({ ...one, purl: packagePurl(one, distribution), layer: null, ownedBy: null })),
  }
}

function filesOf(data: string, name: string): Record<string, Buffer> {
  if (!name.includes('/')) {
    return {
      'etc/os-release': readFileSync(join(data, 'pkgdb/debian-built', `${name}.os-release`)),
      'var/lib/dpkg/status': gunzip(readFileSync(join(data, 'pkgdb/debian-built', `${name}.status.gz`))),
    }
  }
  const bytes = readFileSync(join(data, name))
  const outer = filesOfTar(name.endsWith('.gz') ? gunzip(bytes) : bytes)
  const manifest = outer['manifest.json']
  if (manifest === undefined) return outer
  const [{ Layers }] = JSON.parse(manifest.toString()) as [{ Layers: string[] }]
  return Object.assign({}, ...Layers.map((layer) => filesOfTar(outer[layer] ?? Buffer.alloc(0))))
}
