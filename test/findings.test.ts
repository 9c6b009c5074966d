import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Finding } from '../src/core/finding.js'
import type { Distribution, Package } from '../src/core/package.js'
import { matchInventory } from '../src/vuln/match.js'
import { memoryAdvisories, readOsvFile } from '../src/vuln/memory-advisories.fixture.js'
import { gunzip } from './support/evidence.js'
import { inventoryOf, packageOf } from './support/image-diffs.js'
import { describeWith } from './support/needs.js'
import { sharedPackages } from './support/shared-packages.js'

interface ExpectedFindings {
  readonly target: string
  readonly database: string
  readonly packages?: number
  readonly findings: readonly {
    readonly package: string
    readonly version?: string
    readonly sourceVersion?: string
    readonly id: string
    readonly cves?: readonly string[]
    readonly fixed: string
  }[]
}

describeWith({ shared: true }, 'findings of real images', ({ shared }) => {
  const folder = join(shared, 'data/expected/findings')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []
  it.each(names)('%s', (name) => {
    const expected = JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExpectedFindings
    const image = databases[expected.target] ?? expected.target
    const { distribution, packages } = sharedPackages(shared, image)
    const advisories = memoryAdvisories(readOsvFile(join(shared, 'data', expected.database)))
    const { findings, complete } = matchInventory(inventoryOf(packages, { distribution }), advisories, { now: 0 })
    if (expected.packages !== undefined) expect(packages).toHaveLength(expected.packages)
    expect(findings.map(lineOf).sort()).toEqual(
      expected.findings
        .map((one) => `${one.package} ${one.sourceVersion ?? one.version} ${one.id} ${one.fixed} ${cvesOf(one)}`)
        .sort(),
    )
    expect(complete).toBe(true)
    expect(new Set(findings.map(({ status }) => status)).size).toBeLessThanOrEqual(1)
  })

  it('rocky-9-base-x86_64__almalinux.json.gz', () => {
    const text = gunzip(readFileSync(join(folder, 'rocky-9-base-x86_64__almalinux.json.gz'))).toString()
    const { series, database } = JSON.parse(text) as {
      database: string
      series: { ref: string; findings: ExpectedFindings['findings'] }[]
    }
    const advisories = memoryAdvisories(readOsvFile(join(shared, 'data', database)))
    for (const { ref, findings: expected } of series) {
      const list = readFileSync(join(shared, 'data/tag-history/rocky/9-base-x86_64', `${ref}.packages.txt`), 'utf8')
      const packages = rpmsIn(list)
      const { findings } = matchInventory(inventoryOf(packages, { distribution: alma }), advisories, { now: 0 })
      expect(findings.map(lineOf).sort()).toEqual(
        expected.map((one) => `${one.package} ${one.version} ${one.id} ${one.fixed} ${cvesOf(one)}`).sort(),
      )
    }
  })
})

function lineOf({ package: { name }, installedVersion, id, fixedVersion, aliases }: Finding): string {
  return `${name} ${installedVersion} ${id} ${fixedVersion} ${aliases.filter((alias) => alias.startsWith('CVE-'))}`
}

function cvesOf({ id, cves }: ExpectedFindings['findings'][number]): string {
  return [...(cves ?? [id.replace('DEBIAN-', '')])].sort().join(',')
}

/** The package databases of images of `real-registry`, which lie in pkgdb/debian-built under other names. */
const databases: Readonly<Record<string, string>> = {
  'real-registry: bookworm-full': 'bookworm-min-full',
  'real-registry: bookworm-point': 'bookworm-min-main',
  'real-registry: nginx': 'bookworm-nginx',
  'real-registry: nginx-dev': 'bookworm-nginx-dev',
}

const alma: Distribution = { id: 'almalinux', idLike: [], versionId: '9.4', codename: null, name: 'AlmaLinux 9' }

/** Lines `name|epoch|version|release|architecture|source rpm|license`. */
function rpmsIn(list: string): Package[] {
  const lines = list.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [name = '', epoch = '', version = '', release = '', architecture = ''] = line.split('|')
    const evr = `${epoch === '(none)' ? '' : `${epoch}:`}${version}-${release}`
    return packageOf('rpm', name, evr, { architecture })
  })
}
