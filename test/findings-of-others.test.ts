import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Advisory, AffectedPackage, FixState } from '../src/core/advisory.js'
import { advisoryName } from '../src/core/advisory-name.js'
import type { Distribution, Package } from '../src/core/package.js'
import { matchInventory } from '../src/vuln/match.js'
import { advisoryOf, affectedPackage, memoryAdvisories, readOsvFile } from '../src/vuln/memory-advisories.fixture.js'
import { gunzip } from './support/evidence.js'
import { inventoryOf, packageOf } from './support/image-diffs.js'
import { describeWith } from './support/needs.js'

interface Answer {
  readonly ecosystem: string
  readonly name: string
  readonly version: string
  readonly ids: readonly string[]
}

/** Where we say more than the recorded answer, who is right, and why. */
const saidBesides: readonly { readonly of: RegExp; readonly why: string }[] = [
  {
    of: /^Go (?:stdlib|toolchain) .* 1\.(?:25\.13|26\.6)$/,
    why: 'ours: mended in Go 1.25.13 and 1.26.6, which no record of any answer names: they are younger than the recording',
  },
  {
    of: /^Maven dnsjava:dnsjava 3\.4\.0 GHSA-(?:crjg-w57m-rqqf|mmwx-rj87-vfgr) 3\.6\.0$/,
    why: 'ours by the record of 2024-08: not withdrawn, and 3.4.0 is below 3.6.0; the service has dropped both since',
  },
]

describeWith({ shared: true }, "answers of OSV's own service", ({ shared }) => {
  it('are ours, for the records that lie here', () => {
    const folder = join(shared, 'data/vulns/osv')
    const advisories = readdirSync(folder).flatMap((name) => readOsvFile(join(folder, name)))
    const about = new Set(
      advisories.flatMap(({ id, affected }) => affected.map(({ ecosystem, name }) => `${id} ${ecosystem} ${name}`)),
    )
    const data = memoryAdvisories(advisories)
    const answers = JSON.parse(
      gunzip(readFileSync(join(shared, 'data/golden/osv-service-answers.json.gz'))).toString(),
    ) as Answer[]
    const missing: string[] = []
    const besides: string[] = []
    let wanted = 0
    for (const { ecosystem, name, version, ids } of answers) {
      const asked = inventoryFor(ecosystem, name, version)
      if (asked === null) continue
      const { findings } = matchInventory(asked, data, { now: 0 })
      const hits = findings.filter(({ status }) => status === 'affected')
      const said = new Set(hits.flatMap(({ id, aliases }) => [id, ...aliases]))
      const here = ids.filter((id) => about.has(`${id} ${ecosystem} ${advisoryName(ecosystem, name)}`))
      wanted += here.length
      missing.push(...here.filter((id) => !said.has(id)).map((id) => `${ecosystem} ${name} ${version} ${id}`))
      for (const { id, aliases, fixedVersion } of hits)
        if (![id, ...aliases].some((one) => ids.includes(one)))
          besides.push(`${ecosystem} ${name} ${version} ${id} ${fixedVersion}`)
    }
    expect(wanted).toBeGreaterThan(100)
    expect(missing).toEqual([])
    expect(besides.filter((line) => !saidBesides.some(({ of }) => of.test(line)))).toEqual([])
  })
})

const typeOfEcosystem: Readonly<Record<string, string>> = {
  Alpine: 'apk',
  Debian: 'deb',
  Go: 'golang',
  Hackage: 'hackage',
  Maven: 'maven',
  NuGet: 'nuget',
  Packagist: 'composer',
  PyPI: 'pypi',
  RubyGems: 'gem',
  Ubuntu: 'deb',
  'crates.io': 'cargo',
  npm: 'npm',
  openSUSE: 'rpm',
}

function inventoryFor(ecosystem: string, name: string, version: string) {
  const [family = '', release = ''] = ecosystem.split(':')
  const type = typeOfEcosystem[family]
  if (type === undefined) return null
  const id = family === 'openSUSE' ? 'opensuse-leap' : family.toLowerCase()
  const distribution = release === '' ? null : distributionOf(id, release.replace(/^(?:v|Leap )/, ''))
  return inventoryOf([packageOf(type, name, version)], { distribution })
}

interface Report {
  readonly Metadata?: { readonly OS?: { readonly Family: string; readonly Name: string } }
  readonly Results: readonly {
    readonly Type: string
    readonly Packages?: readonly TrivyPackage[]
    readonly Vulnerabilities?: readonly {
      readonly VulnerabilityID: string
      readonly PkgName: string
      readonly InstalledVersion: string
      readonly FixedVersion?: string
      readonly Status: string
    }[]
  }[]
}

interface TrivyPackage {
  readonly Name: string
  readonly Version: string
  readonly Epoch?: number
  readonly Release?: string
  readonly Arch?: string
  readonly SrcName?: string
  readonly SrcVersion?: string
  readonly SrcEpoch?: number
  readonly SrcRelease?: string
}

interface Bucket {
  readonly bucket?: string
  readonly key?: string
  readonly pairs?: readonly Bucket[]
  readonly value?: TrivyValue
}

interface TrivyEntry {
  readonly FixedVersion?: string
  readonly Arches?: readonly string[]
  readonly Affected?: readonly number[]
  readonly Cves?: readonly { readonly ID?: string }[]
  readonly Status?: number
}

interface TrivyValue extends TrivyEntry {
  readonly State?: string
  readonly VulnerableVersions?: readonly string[]
  readonly Entries?: readonly TrivyEntry[]
}

describeWith({ shared: true }, "reports of trivy, by trivy's own small database", ({ shared }) => {
  const golden = join(shared, 'data/golden')
  const names = existsSync(golden) ? readdirSync(join(golden, 'trivy-findings')) : []
  it.each(names)('%s', (name) => {
    const report = JSON.parse(readFileSync(join(golden, 'trivy-findings', name), 'utf8')) as Report
    const folder = join(golden, 'trivy-fixture-db')
    const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'))
    const data = memoryAdvisories(
      files.flatMap((file) => advisoriesIn(parse(readFileSync(join(folder, file), 'utf8')) as Bucket[])),
    )
    const list = join(golden, 'trivy-packages', name)
    const listed = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as TrivyPackage[]) : null
    for (const result of report.Results) {
      const vulnerabilities = result.Vulnerabilities ?? []
      const type = typeOfResult[result.Type] ?? 'rpm'
      const packages =
        (listed ?? result.Packages)?.map((one) => packageIn(type, one)) ?? packagesNamed(type, vulnerabilities)
      const os = report.Metadata?.OS
      const distribution =
        os === undefined
          ? null
          : distributionOf(os.Family === 'amazon' ? 'amzn' : os.Family, os.Name.split(' ')[0] ?? '')
      const { findings } = matchInventory(inventoryOf(packages, { distribution }), data, { now: 0 })
      const ours = findings.flatMap(({ id, aliases, package: one, fixedVersion, fixState }) =>
        [id, ...aliases]
          .filter((alias) => /^(?:CVE|GMS)-/.test(alias))
          .map((alias) => `${alias} ${one.name} ${one.version} ${fixedVersion ?? fixState}`),
      )
      expect(ours.sort()).toEqual(
        vulnerabilities
          .map((one) => {
            const fixed = one.FixedVersion ?? stateOfStatus[one.Status]
            return `${one.VulnerabilityID} ${one.PkgName} ${one.InstalledVersion} ${fixed}`
          })
          .sort(),
      )
    }
  })
})

const typeOfResult: Readonly<Record<string, string>> = {
  alpine: 'apk',
  debian: 'deb',
  gomod: 'golang',
  npm: 'npm',
  pip: 'pypi',
}

const stateOfStatus: Readonly<Record<string, FixState>> = {
  affected: 'open',
  end_of_life: 'end-of-life',
  fix_deferred: 'deferred',
  will_not_fix: 'wont-fix',
}

/** trivy's own numbers (pkg/types/status.go). */
const stateOfNumber: Readonly<Record<number, FixState>> = { 5: 'wont-fix', 6: 'deferred', 7: 'end-of-life' }

/** Where a report has no list of packages, those that it names; their sources by Debian's and Alpine's archives. */
const sources: Readonly<Record<string, string>> = {
  e2fslibs: 'e2fsprogs',
  libcomerr2: 'e2fsprogs',
  'libcrypto1.1': 'openssl',
  'libssl1.1': 'openssl',
  libss2: 'e2fsprogs',
  'musl-utils': 'musl',
}

function packagesNamed(type: string, list: readonly { PkgName: string; InstalledVersion: string }[]): Package[] {
  const distinct = new Map(list.map((one) => [`${one.PkgName} ${one.InstalledVersion}`, one]))
  return [...distinct.values()].map(({ PkgName: name, InstalledVersion: version }) =>
    packageOf(type, name, version, { source: { name: sources[name] ?? name, version } }),
  )
}

function packageIn(type: string, one: TrivyPackage): Package {
  const version = versionOf(one.Epoch, one.Version, one.Release)
  const source =
    one.SrcName === undefined
      ? null
      : { name: one.SrcName, version: versionOf(one.SrcEpoch, one.SrcVersion ?? '', one.SrcRelease) }
  return packageOf(type, one.Name, version, { source, architecture: one.Arch ?? null })
}

function versionOf(epoch: number | undefined, version: string, release: string | undefined): string {
  return `${epoch ? `${epoch}:` : ''}${version}${release ? `-${release}` : ''}`
}

function distributionOf(id: string, versionId: string): Distribution {
  return { id, idLike: [], versionId, codename: null, name: `${id} ${versionId}` }
}

function advisoriesIn(buckets: readonly Bucket[]): Advisory[] {
  return buckets.flatMap(({ bucket: space = '', pairs = [] }) =>
    pairs.flatMap(({ bucket: name = '', pairs: rows = [] }) =>
      rows.map(({ key = '', value = {} }) => {
        const entries = affectedIn(space, name, value)
        const cves = (value.Entries ?? []).flatMap(({ Cves = [] }) => Cves.flatMap(({ ID }) => ID ?? []))
        return advisoryOf(key, entries, { source: `trivy ${space} ${name}`, upstream: [...new Set(cves)] })
      }),
    ),
  )
}

function affectedIn(space: string, name: string, value: TrivyValue): AffectedPackage[] {
  const language = languageOfSpace[space.split('::')[0] ?? '']
  if (language !== undefined) {
    const ranges = (value.VulnerableVersions ?? []).join(' || ')
    return [affectedPackage(language, advisoryName(language, name), ranges)]
  }
  if (space === 'Red Hat')
    return (value.Entries ?? []).flatMap((entry) =>
      releasesOf(entry).map((release) => affectedOf(`Red Hat:enterprise_linux:${release}`, name, entry)),
    )
  return [affectedOf(ecosystemOfSpace(space), name, value)]
}

function affectedOf(
  ecosystem: string,
  name: string,
  { FixedVersion, Arches = [], Status = 2, State }: TrivyValue,
): AffectedPackage {
  const fix = State === 'postponed' ? 'deferred' : (stateOfNumber[Status] ?? 'open')
  return affectedPackage(ecosystem, name, FixedVersion === undefined ? '>= 0' : `< ${FixedVersion}`, {
    architectures: Arches,
    fix,
  })
}

const languageOfSpace: Readonly<Record<string, string>> = { go: 'Go', npm: 'npm', pip: 'PyPI' }

function ecosystemOfSpace(space: string): string {
  const release = space.split(' ').at(-1) ?? ''
  if (space.startsWith('alpine')) return release === 'edge' ? 'Alpine:edge' : `Alpine:v${release}`
  if (space.startsWith('amazon')) return `Amazon Linux:${release}`
  if (space.startsWith('debian')) return `Debian:${release}`
  return space.startsWith('rocky') ? `Rocky Linux:${release}` : `Photon OS:${release}`
}

/** trivy numbers the product names of Red Hat: 869 is among those of RHEL 7 in every erratum of `el7`, 857 and 858 of RHEL 6. */
function releasesOf({ Affected = [] }: TrivyEntry): string[] {
  return [
    ...(Affected.includes(869) ? ['7'] : []),
    ...(Affected.some((one) => one === 857 || one === 858) ? ['6'] : []),
  ]
}
