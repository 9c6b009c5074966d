import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inventoryOf, packageOf } from '../../test/support/image-diffs.js'
import type { Advisory, AffectedPackage } from '../core/advisory.js'
import type { Finding } from '../core/finding.js'
import type { Inventory } from '../core/inventory.js'
import type { Distribution, Package } from '../core/package.js'
import { explainMatch } from './explain.js'
import { matchInventory } from './match.js'
import { advisoryOf, affectedPackage, type MemoryParts, memoryAdvisories } from './memory-advisories.fixture.js'

const now = Date.UTC(2026, 10, 25)
const debian = release('debian', '12', 'Debian GNU/Linux 12 (bookworm)')
const lodash = packageOf('npm', 'lodash', '4.17.11')

describe('matchInventory', () => {
  it('says of a finding what is known of it', () => {
    const advisories = [
      advisoryOf('GHSA-1', [affectedPackage('npm', 'lodash', '< 4.17.12')], {
        aliases: ['CVE-2019-10744', 'CVE-2019-99999'],
        ratings: [{ system: 'word', value: 'CRITICAL', by: 'github' }],
        summary: 'Prototype pollution',
        url: 'https://example.org/1',
      }),
    ]
    const kev = { cve: 'CVE-2019-10744', addedOn: '2025-01-01', dueOn: null, usedByRansomware: true }
    const epss = {
      'CVE-2019-10744': { score: 0.1, percentile: 0.4 },
      'CVE-2019-99999': { score: 0.5, percentile: 0.9 },
    }
    const [finding] = match([lodash], advisories, { kev: [kev], epss })
    expect(finding).toEqual({
      id: 'GHSA-1',
      aliases: ['CVE-2019-10744', 'CVE-2019-99999'],
      severity: 'critical',
      severitySource: 'github',
      cvss: [],
      package: { name: 'lodash', version: '4.17.11', type: 'npm', purl: 'pkg:npm/lodash@4.17.11' },
      installedVersion: '4.17.11',
      affectedRange: '< 4.17.12',
      fixedVersion: '4.17.12',
      fixState: null,
      status: 'affected',
      statusReason: null,
      vex: null,
      ignored: null,
      kev: { addedOn: '2025-01-01', dueOn: null, usedByRansomware: true },
      epss: { score: 0.5, percentile: 0.9 },
      reference: 'github:language:javascript',
      url: 'https://example.org/1',
      summary: 'Prototype pollution',
      source: 'osv',
      layer: null,
      evidence: 'file',
    })
  })

  it('holds the source version of Debian against it, never the binary one', () => {
    const bsdutils = deb('bsdutils', '1:2.38.1-5+deb12u3', { name: 'util-linux', version: '2.38.1-5+deb12u3' })
    const advisories = [
      advisoryOf('DEBIAN-CVE-2024-28085', [affectedPackage('Debian:12', 'util-linux', '< 2.38.1-5+deb12u4')]),
    ]
    expect(lines(match([bsdutils], advisories))).toEqual(['bsdutils 2.38.1-5+deb12u3 DEBIAN-CVE-2024-28085 affected'])
  })

  it('finds packages of Alpine by origin and by their own name', () => {
    const alpine = release('alpine', '3.20.3')
    const ssl = packageOf('apk', 'libssl3', '3.3.1-r0', { source: { name: 'openssl', version: '3.3.1-r0' } })
    const advisories = [
      advisoryOf('ALPINE-CVE-2024-0001', [affectedPackage('Alpine:v3.20', 'openssl', '< 3.3.2-r0')], {
        upstream: ['CVE-2024-0001'],
      }),
      advisoryOf('ALPINE-CVE-2024-0002', [affectedPackage('Alpine:v3.20', 'libssl3', '< 3.3.2-r0')]),
      advisoryOf('ALPINE-CVE-2024-0003', [affectedPackage('Alpine:v3.19', 'openssl', '< 3.3.2-r0')]),
    ]
    expect(match([ssl], advisories, {}, alpine).map(({ id, aliases }) => [id, aliases])).toEqual([
      ['ALPINE-CVE-2024-0001', ['CVE-2024-0001']],
      ['ALPINE-CVE-2024-0002', []],
    ])
  })

  it('holds rpms of SUSE by source without the epoch, for the binaries that are meant, on their architecture and module', () => {
    const leap = release('opensuse-leap', '15.5')
    const perl = rpm('perl-Errno', '1.30-2', { source: { name: 'perl', version: '5.26.1-3' } })
    const of = (affected: AffectedPackage, one: Package, distribution: Distribution) =>
      match([one], [advisoryOf('SUSE-SU-1', [affected])], {}, distribution).length
    expect(of(affectedPackage('openSUSE:Leap 15.5', 'perl', '< 4:5.26.1-3'), perl, leap)).toBe(0)
    expect(of(affectedPackage('openSUSE:Leap 15.5', 'perl', '< 5.26.1-4'), perl, leap)).toBe(1)
    expect(
      of(affectedPackage('openSUSE:Leap 15.5', 'perl', '< 5.26.1-4', { binaries: ['perl-doc'] }), perl, leap),
    ).toBe(0)
    const rocky = release('rocky', '9.4')
    const node = rpm('nodejs', '1:18.1-4.el9', { module: 'nodejs:18', architecture: 'x86_64' })
    const nodejs = (parts: Partial<AffectedPackage>, one = node) =>
      of(affectedPackage('Rocky Linux:9', 'nodejs', '< 1:18.2-1.el9', parts), one, rocky)
    expect(nodejs({ module: 'nodejs:20' })).toBe(0)
    expect(nodejs({ module: 'nodejs:18' })).toBe(1)
    expect(nodejs({ module: 'nodejs:20' }, rpm('nodejs', '1:18.1-4.el9', {}))).toBe(1)
    expect(nodejs({ architectures: ['aarch64'] })).toBe(0)
    expect(nodejs({ architectures: ['noarch'] })).toBe(1)
    expect(nodejs({ architectures: ['amd64'] })).toBe(1)
  })

  it('skips keys, virtual packages, and what a package of the distribution brought along', () => {
    const advisories = [
      advisoryOf('RLSA-1', [affectedPackage('Rocky Linux:9', 'gpg-pubkey', '>= 0')]),
      advisoryOf('PYSEC-1', [affectedPackage('PyPI', 'requests', '>= 0')]),
      advisoryOf('ALPINE-CVE-1', [affectedPackage('Alpine:v3.20', '.build-deps', '>= 0')]),
    ]
    const owned = packageOf('pypi', 'requests', '2.28.1', { ownedBy: 'python3-requests' })
    expect(match([rpm('gpg-pubkey', '1-1', {}), owned], advisories, {}, release('rocky', '9'))).toEqual([])
    const virtual = packageOf('apk', '.build-deps', '1', { isVirtual: true })
    expect(match([virtual], advisories, {}, release('alpine', '3.20'))).toEqual([])
  })

  it('holds what is of Ubuntu Pro against what Pro has mended, and only with a package of it installed', () => {
    const ubuntu = release('ubuntu', '18.04')
    const record = advisoryOf('UBUNTU-CVE-2024-1111', [
      affectedPackage('Ubuntu:18.04:LTS', 'curl', '>= 0'),
      affectedPackage('Ubuntu:Pro:18.04:LTS', 'curl', '< 7.58.0-2ubuntu3.24+esm3'),
    ])
    const found = (version: string) =>
      match([deb('curl', version, null)], [record], {}, ubuntu).map((one) => one.fixedVersion)
    expect(found('7.58.0-2ubuntu3.24')).toEqual([null])
    expect(found('7.58.0-2ubuntu3.24+esm2')).toEqual(['7.58.0-2ubuntu3.24+esm3'])
    expect(found('7.58.0-2ubuntu3.24+esm3')).toEqual([])
  })

  it('cancels what a better record denies', () => {
    const curl = deb('curl', '7.88-1', null)
    const claim = advisoryOf('DEBIAN-CVE-2024-1111', [affectedPackage('Debian:12', 'curl', '< 8')], {
      upstream: ['CVE-2024-1111'],
    })
    const never = affectedPackage('Debian:12', 'curl', '', { status: 'not-affected' })
    const own = (affected: AffectedPackage) => advisoryOf('CVE-2024-1111', [affected], { source: 'debian-tracker' })
    expect(match([curl], [claim, own(never)])).toEqual([])
    expect(match([curl], [claim, own(affectedPackage('Debian:12', 'curl', '< 7.80'))])).toEqual([])
    const both = match([curl], [claim, own(affectedPackage('Debian:12', 'curl', '< 9'))])
    expect(both.map(({ id, aliases, fixedVersion }) => [id, aliases, fixedVersion])).toEqual([
      ['CVE-2024-1111', ['DEBIAN-CVE-2024-1111'], '9'],
    ])
    // What a collection says does not go before the distribution's own feed.
    const denial = { ...claim, affected: [never] }
    expect(match([curl], [denial, own(affectedPackage('Debian:12', 'curl', '< 9'))])).toHaveLength(1)
    const erratum = advisoryOf('DSA-1-1', [affectedPackage('Debian:12', 'curl', '< 8')], {
      upstream: ['CVE-2024-1111'],
    })
    expect(match([curl], [erratum, own(never)])).toEqual([])
  })

  it('does not let databases of a language overrule each other by their ranges', () => {
    const advisories = [
      advisoryOf('GHSA-1', [affectedPackage('npm', 'lodash', '< 5.0.0')], { aliases: ['CVE-2024-1111'] }),
      advisoryOf('NPM-1', [affectedPackage('npm', 'lodash', '< 4.0.0')], { aliases: ['CVE-2024-1111'] }),
    ]
    expect(match([lodash], advisories)).toHaveLength(1)
  })

  it('folds an erratum into its vulnerabilities where each has a record, and keeps it where one has none', () => {
    const curl = deb('curl', '7.88-1', null)
    const single = (cve: string) =>
      advisoryOf(`DEBIAN-${cve}`, [affectedPackage('Debian:12', 'curl', '< 8')], { upstream: [cve] })
    const erratum = advisoryOf('DSA-1-1', [affectedPackage('Debian:12', 'curl', '< 8')], {
      upstream: ['CVE-2024-1111', 'CVE-2024-2222'],
    })
    const named = (advisories: Advisory[]) => match([curl], advisories).map(({ id, aliases }) => [id, aliases])
    expect(named([erratum, single('CVE-2024-1111'), single('CVE-2024-2222')])).toEqual([
      ['DEBIAN-CVE-2024-1111', ['CVE-2024-1111', 'DSA-1-1']],
      ['DEBIAN-CVE-2024-2222', ['CVE-2024-2222', 'DSA-1-1']],
    ])
    expect(named([erratum, single('CVE-2024-1111')])).toEqual([
      ['DEBIAN-CVE-2024-1111', ['CVE-2024-1111']],
      ['DSA-1-1', ['CVE-2024-1111', 'CVE-2024-2222']],
    ])
    const unsure = { ...single('CVE-2024-1111'), affected: [affectedPackage('Debian:12', 'curl', '< odd one')] }
    const sure = { ...erratum, upstream: ['CVE-2024-1111'] }
    expect(match([curl], [unsure, sure]).map(({ id, status }) => [id, status])).toEqual([
      ['DEBIAN-CVE-2024-1111', 'unknown'],
      ['DSA-1-1', 'affected'],
    ])
  })

  it('rates an erratum by the worst that it fixes, and takes the word of the distribution first', () => {
    const curl = deb('curl', '7.88-1', null)
    const nvd = (cve: string, value: string) =>
      advisoryOf(cve, [], { source: 'nvd', ratings: [{ system: 'CVSS_V3', value, by: 'nvd' }] })
    const erratum = advisoryOf('DSA-1-1', [affectedPackage('Debian:12', 'curl', '< 8')], {
      upstream: ['CVE-2024-1111', 'CVE-2024-2222'],
    })
    const [finding] = match(
      [curl],
      [
        erratum,
        nvd('CVE-2024-1111', 'CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N'),
        nvd('CVE-2024-2222', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N'),
      ],
    )
    expect(finding).toMatchObject({ severity: 'high', severitySource: 'nvd' })
  })

  it('joins names through records about no package of the image, and through cycles', () => {
    const advisories = [
      advisoryOf('GHSA-1', [affectedPackage('npm', 'lodash', '< 5')], { aliases: ['X-1'] }),
      advisoryOf('NPM-1', [affectedPackage('npm', 'lodash', '< 5')], { aliases: ['X-3'] }),
      advisoryOf('X-2', [], { aliases: ['X-1', 'X-3'] }),
      advisoryOf('X-3', [], { aliases: ['X-2', 'NPM-1'] }),
    ]
    expect(match([lodash], advisories).map(({ id, aliases }) => [id, aliases])).toEqual([
      ['NPM-1', ['GHSA-1', 'X-1', 'X-2', 'X-3']],
    ])
  })

  it('gives one finding for each connected set of names, whatever the links', () => {
    const name = fc.nat(9).map((n) => `N-${n}`)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.array(name, { maxLength: 3 })), { maxLength: 12 }), (links) => {
        const advisories = links.map(([id, aliases], at) =>
          advisoryOf(`${id}`, [affectedPackage('npm', 'lodash', '< 5')], { aliases, source: `s${at}` }),
        )
        const found = match([lodash], advisories)
        const sets = connected(links)
        expect(found.map(({ id, aliases }) => [id, ...aliases].sort().join()).sort()).toEqual(
          sets.map((set) => [...set].sort().join()).sort(),
        )
      }),
    )
  })

  it('is unknown where a version cannot be read, and says why', () => {
    const [finding] = match(
      [packageOf('npm', 'lodash', 'latest')],
      [advisoryOf('GHSA-1', [affectedPackage('npm', 'lodash', '< 5.0.0')])],
    )
    expect(finding).toMatchObject({
      status: 'unknown',
      statusReason: expect.stringContaining('latest cannot be held against < 5.0.0'),
    })
    const open = affectedPackage('npm', 'lodash', '< 5', { status: 'under-investigation' })
    expect(match([lodash], [advisoryOf('GHSA-1', [open])])[0]).toMatchObject({ status: 'under_investigation' })
  })

  it('says why there is no fix', () => {
    const affected = affectedPackage('Debian:12', 'curl', '>= 0', { fix: 'wont-fix' })
    expect(match([deb('curl', '1', null)], [advisoryOf('X-1', [affected])])[0]).toMatchObject({
      fixedVersion: null,
      fixState: 'wont-fix',
    })
  })

  it('leaves out withdrawn records and errata that mend bugs', () => {
    const affected = [affectedPackage('AlmaLinux:9', 'curl', '< 8')]
    const alma = release('almalinux', '9.4')
    const advisories = [advisoryOf('ALBA-1:1', affected), advisoryOf('ALSA-1:1', affected, { withdrawnAt: 1 })]
    expect(match([rpm('curl', '7-1', {})], advisories, {}, alma)).toEqual([])
  })
})

describe('coverage', () => {
  const some = [advisoryOf('X-1', [affectedPackage('Debian:12', 'curl', '< 1')])]
  const releases = { debian: [{ release: '12', endsOn: '2028-06-10', extendedEndsOn: null }] }
  const judge = (packages: Package[], distribution: Distribution | null, parts: MemoryParts = {}) => {
    const advisories = memoryAdvisories(some, { builtAt: now, releases, ...parts })
    return matchInventory(inventoryOf(packages, { distribution }), advisories, { now })
  }

  it('is complete where there is data for all', () => {
    expect(judge([deb('curl', '1', null)], debian)).toMatchObject({ complete: true, warnings: [] })
    // Nothing that was found is not the same as nothing that is there.
    expect(judge([], null)).toMatchObject({ complete: false, warnings: [expect.stringMatching(/no packages/)] })
  })

  it.each([
    [
      'of an unknown distribution',
      [deb('curl', '1', null)],
      null,
      /which distribution this is is unknown: 1 package is/,
    ],
    [
      'of a release without data',
      [deb('curl', '1', null)],
      release('debian', '13', 'Debian 13'),
      /no advisory data for Debian 13 \(Debian:13\)/,
    ],
    [
      'of what is like another',
      [deb('curl', '1', null)],
      { ...release('mint', '21', 'Mint'), idLike: ['ubuntu'] },
      /known of Mint.*like ubuntu/,
    ],
    ['of a language without data', [lodash], debian, /no advisory data for npm: 1 package is not judged \(lodash\)/],
    ['of a runtime', [packageOf('generic', 'node', '20.1.0')], debian, /no advisory data for Bitnami/],
  ])('is incomplete for packages %s', (_, packages, distribution, message) => {
    const { complete, warnings } = judge(packages, distribution)
    expect(complete).toBe(false)
    expect(warnings).toEqual([expect.stringMatching(message)])
  })

  it('warns of the end of support, of old data and of what could not be renewed', () => {
    const ended = { debian: [{ release: '12', endsOn: '2026-06-10', extendedEndsOn: '2028-06-30' }] }
    const source = { name: 'osv', part: 'Debian', records: 1, refused: 0, fetchedAt: now, failure: 'no answer' }
    const { warnings, complete } = judge([deb('curl', '1', null)], debian, {
      releases: ended,
      sources: [source],
      builtAt: now - 8 * 86_400_000,
    })
    expect(complete).toBe(true)
    const stale = { ...source, fetchedAt: now - 9 * 86_400_000, failure: null }
    expect(judge([deb('curl', '1', null)], debian, { sources: [stale], builtAt: now }).warnings).toEqual([
      // Whatever else was renewed meanwhile.
      expect.stringMatching(/9 days old \(osv Debian\)/),
    ])
    expect(warnings).toEqual([
      'security support of Debian GNU/Linux 12 (bookworm) ended on 2026-06-10 (extended support, by others or for money, until 2028-06-30): what is missing here is not safe',
      'the advisory data is of 2026-11-17, 8 days old',
      'osv Debian could not be renewed and is of 2026-11-25: no answer',
    ])
  })

  it('warns of failures that matter to the image only', () => {
    const failed = (name: string, part: string | null, records: number) => {
      return { name, part, records, refused: 0, fetchedAt: records === 0 ? 0 : now, failure: 'no answer' }
    }
    const sources = [
      ...[failed('osv', 'npm', 1), failed('alpine-secdb', 'v3.13/main', 0), failed('wolfi', null, 1)],
      ...[failed('debian-tracker', null, 0), failed('kev', null, 1), failed('endoflife', 'alpine', 1)],
    ]
    expect(judge([deb('curl', '1', null)], debian, { sources }).warnings).toEqual([
      'debian-tracker was never fetched: no answer',
      'kev could not be renewed and is of 2026-11-25: no answer',
    ])
  })

  it('says where nobody knows whether a release is still looked after', () => {
    const unknown = ['no end-of-life data: whether Debian GNU/Linux 12 (bookworm) is still looked after is unknown']
    expect(judge([deb('curl', '1', null)], debian, { releases: {} })).toMatchObject({
      complete: true,
      warnings: unknown,
    })
  })
})

describe('explainMatch', () => {
  const curl = deb('curl', '7.88-1', null)
  const affected = affectedPackage('Debian:12', 'curl', '< 8')
  const advisories = [
    advisoryOf('DEBIAN-CVE-2024-1111', [affected], { upstream: ['CVE-2024-1111'] }),
    advisoryOf('DSA-1-1', [affected], { upstream: ['CVE-2024-1111', 'CVE-2024-2222'] }),
    advisoryOf('GHSA-1', [affectedPackage('PyPI', 'pycurl', '< 8')], { aliases: ['CVE-2024-1111'] }),
    advisoryOf('GHSA-2', [affected], { aliases: ['CVE-2024-1111'], withdrawnAt: 0 }),
    advisoryOf('GO-1', [affectedPackage('Go', 'curl', '< 8')], { aliases: ['CVE-2024-1111'] }),
    advisoryOf('GHSA-3', [affectedPackage('npm', 'curl', '< 8')], { aliases: ['CVE-2024-1111'] }),
  ]
  const owned = packageOf('pypi', 'pycurl', '7', { ownedBy: 'python3-pycurl' })
  const inventory = inventoryOf([curl, owned, lodash], { distribution: debian })

  it('names every record, the package and the rule', () => {
    const { aliases, decisions } = explainMatch('cve-2024-1111', inventory, memoryAdvisories(advisories))
    expect(aliases).toEqual(['DEBIAN-CVE-2024-1111', 'GHSA-1', 'GHSA-3', 'GO-1'])
    expect(decisions.map(({ advisory, package: one, code }) => `${advisory?.id} ${one?.name} ${code}`).sort()).toEqual([
      'DEBIAN-CVE-2024-1111 curl affected',
      'DSA-1-1 curl affected',
      'GHSA-1 pycurl skipped-owned',
      'GHSA-2 curl withdrawn',
      'GHSA-3 undefined no-package',
      'GO-1 undefined other-ecosystem',
    ])
    const [first] = decisions
    expect(first).toMatchObject({
      installedVersion: '7.88-1',
      affectedRange: '< 8',
      fixedVersion: '8',
      sentence: '7.88-1 is in < 8',
    })
  })

  it('knows when it knows nothing', () => {
    const { decisions } = explainMatch('CVE-1-1', inventory, memoryAdvisories(advisories))
    expect(decisions.map(({ code }) => code)).toEqual(['unknown-id'])
  })

  it('agrees with the findings', () => {
    const ranges = fc.constantFrom('< 7', '< 8', '>= 8', '>= 7, < 7.9', 'odd', '= 7.88-1', '')
    const cve = fc.nat(3).map((n) => `CVE-2024-000${n}`)
    const record = fc.record({
      kind: fc.constantFrom('DEBIAN', 'DSA', 'GHSA', 'CVE'),
      cves: fc.array(cve, { minLength: 1, maxLength: 3 }),
      text: ranges,
      status: fc.constantFrom('affected' as const, 'not-affected' as const, 'under-investigation' as const),
      source: fc.constantFrom('osv', 'debian-tracker'),
    })
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (records) => {
        const some = records.map(({ kind, cves, text, status, source }, at) => {
          const [first = ''] = cves
          const entry = affectedPackage('Debian:12', 'curl', text, { status })
          if (kind === 'DEBIAN') return advisoryOf(`DEBIAN-${first}`, [entry], { upstream: [first], source })
          if (kind === 'DSA') return advisoryOf(`DSA-${at}-1`, [entry], { upstream: cves, source })
          return kind === 'CVE'
            ? advisoryOf(first, [entry], { source })
            : advisoryOf(`GHSA-${at}`, [entry], { aliases: [first], source })
        })
        const distinct = [...new Map(some.map((one) => [`${one.source} ${one.id}`, one])).values()]
        const data = memoryAdvisories(distinct)
        const found = new Set(matchInventory(inventory, data, { now }).findings.map(({ id }) => id))
        const codes = new Set([
          'affected',
          'affected-by-list',
          'under-investigation',
          'unreadable-installed',
          'unreadable-advisory',
        ])
        const explained = distinct.flatMap(({ id }) =>
          explainMatch(id, inventory, data).decisions.filter(({ code }) => codes.has(code)),
        )
        expect(new Set(explained.map(({ advisory }) => advisory?.id))).toEqual(found)
      }),
    )
  })
})

function match(
  packages: readonly Package[],
  advisories: readonly Advisory[],
  parts: MemoryParts = {},
  distribution: Distribution = debian,
): readonly Finding[] {
  const inventory: Inventory = inventoryOf(packages, { distribution })
  return matchInventory(inventory, memoryAdvisories(advisories, { builtAt: now, ...parts }), { now }).findings
}

function lines(findings: readonly Finding[]): string[] {
  return findings.map(
    ({ package: { name }, installedVersion, id, status }) => `${name} ${installedVersion} ${id} ${status}`,
  )
}

/** The connected sets of names, the slow and plain way. */
function connected(links: readonly (readonly [string, readonly string[]])[]): Set<string>[] {
  let sets: Set<string>[] = []
  for (const [id, aliases] of links) {
    const names = new Set([id, ...aliases])
    const touching = sets.filter((set) => [...names].some((name) => set.has(name)))
    sets = [
      ...sets.filter((set) => !touching.includes(set)),
      new Set([...names, ...touching.flatMap((set) => [...set])]),
    ]
  }
  return sets
}

function deb(name: string, version: string, source: Package['source']): Package {
  return packageOf('deb', name, version, { source })
}

function rpm(name: string, version: string, more: Partial<Package>): Package {
  return packageOf('rpm', name, version, more)
}

function release(id: string, versionId: string, name = id): Distribution {
  return { id, idLike: [], versionId, codename: null, name }
}
