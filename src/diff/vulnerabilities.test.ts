import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findingOf } from '../../test/support/findings.js'
import { packageOf } from '../../test/support/image-diffs.js'
import { describeWith } from '../../test/support/needs.js'
import { sharedPackages } from '../../test/support/shared-packages.js'
import type { Finding } from '../core/finding.js'
import type { Distribution, Package } from '../core/package.js'
import { diffPackages } from './packages.js'
import { diffVulnerabilities, type JudgedImage } from './vulnerabilities.js'

const snapshot = { id: 's', builtAt: 0 }
const judged = (
  packages: readonly Package[],
  findings: readonly Finding[],
  distribution: Distribution | null = null,
): JudgedImage => ({
  inventory: { packages, distribution },
  judgement: { snapshot, findings, complete: true, warnings: [] },
})
const diff = (from: JudgedImage, to: JudgedImage) =>
  diffVulnerabilities(from, to, diffPackages(from.inventory.packages, to.inventory.packages))
const shown = (findings: readonly Finding[]) =>
  findings.map(({ id, package: { name, version } }) => [id, name, version])

const deb = (name: string, version: string, more: Partial<Package> = {}) => packageOf('deb', name, version, more)
const npm = (name: string, version: string, evidence = 'file') => packageOf('npm', name, version, { evidence })
const on = (one: Package, id: string, parts: Partial<Finding> = {}) =>
  findingOf(id, one.purl, { evidence: one.evidence, ...parts })

describe('diffVulnerabilities', () => {
  it('names the package change that did it', () => {
    const [old, now] = [deb('curl', '7'), deb('curl', '8')]
    const [gone, come] = [deb('wget', '1'), deb('aria2', '1')]
    const { introduced, fixed, unchanged } = diff(
      judged([old, gone], [on(old, 'CVE-1'), on(old, 'CVE-2'), on(gone, 'CVE-3')]),
      judged([now, come], [on(now, 'CVE-2'), on(now, 'CVE-4'), on(come, 'CVE-5')]),
    )
    expect(shown(introduced)).toEqual([
      ['CVE-5', 'aria2', '1'],
      ['CVE-4', 'curl', '8'],
    ])
    expect(introduced.map(({ cause }) => cause)).toMatchObject([
      { kind: 'added', package: { name: 'aria2', purl: come.purl } },
      { kind: 'changed', package: { name: 'curl', from: '7', to: '8', direction: 'up' } },
    ])
    expect(fixed.map(({ id, cause }) => [id, cause.kind])).toEqual([
      ['CVE-1', 'changed'],
      ['CVE-3', 'removed'],
    ])
    // As the second image has it.
    expect(shown(unchanged)).toEqual([['CVE-2', 'curl', '8']])
  })

  it('is one vulnerability under all of its names, over other findings too', () => {
    const [old, now] = [npm('a', '1'), npm('a', '2')]
    const bridge = on(now, 'GHSA-1', { aliases: ['CVE-1', 'go-1'] })
    const { introduced, fixed, unchanged } = diff(
      judged([old], [on(old, 'CVE-1')]),
      judged([now], [on(now, 'GO-1'), bridge]),
    )
    expect([introduced, fixed]).toEqual([[], []])
    expect(shown(unchanged)).toEqual([
      ['GHSA-1', 'a', '2'],
      ['GO-1', 'a', '2'],
    ])
  })

  it('takes another binary package of the same source for the same place', () => {
    const source = { name: 'openssl', version: '3' }
    const [old, now, tool] = [
      deb('libssl1.1', '1.1', { source }),
      deb('libssl3', '3', { source }),
      deb('openssl', '3', { source }),
    ]
    const renamed = diff(
      judged([old], [on(old, 'CVE-1'), on(old, 'CVE-2')]),
      judged([now], [on(now, 'CVE-1'), on(now, 'CVE-3')]),
    )
    expect(shown(renamed.unchanged)).toEqual([['CVE-1', 'libssl3', '3']])
    expect(renamed.introduced.map(({ id, cause }) => [id, cause.kind])).toEqual([['CVE-3', 'added']])
    expect(renamed.fixed.map(({ id, cause }) => [id, cause.kind])).toEqual([['CVE-2', 'removed']])
    const joined = diff(judged([now], [on(now, 'CVE-1')]), judged([now, tool], [on(now, 'CVE-1'), on(tool, 'CVE-1')]))
    expect(joined.introduced).toEqual([])
    expect(shown(joined.unchanged)).toHaveLength(2)
    expect(diff(judged([now, tool], [on(tool, 'CVE-1')]), judged([tool], [on(tool, 'CVE-1')])).fixed).toEqual([])
  })

  it('takes a package whose source was renamed for the same package', () => {
    const [old, now] = [
      deb('libgcc-s1', '12', { source: { name: 'gcc-12', version: '12' } }),
      deb('libgcc-s1', '14', { source: { name: 'gcc-14', version: '14' } }),
    ]
    const { introduced, fixed } = diff(judged([old], [on(old, 'CVE-1')]), judged([now], [on(now, 'CVE-1')]))
    expect([introduced, fixed]).toEqual([[], []])
  })

  it('keeps types and names apart', () => {
    const [one, other] = [npm('a', '1'), packageOf('pypi', 'a', '1')]
    const { introduced, fixed } = diff(judged([one], [on(one, 'CVE-1')]), judged([other], [on(other, 'CVE-1')]))
    expect([introduced.length, fixed.length]).toEqual([1, 1])
  })

  it('of several versions tells each by its own change', () => {
    const [low, high, higher] = [npm('a', '1.0.0', 'x'), npm('a', '2.0.0', 'y'), npm('a', '3.0.0', 'y')]
    const cleaned = diff(judged([low, high], [on(low, 'CVE-1'), on(high, 'CVE-2')]), judged([higher], []))
    expect(
      cleaned.fixed.map(({ id, cause }) => [id, cause.kind, cause.kind === 'other' || cause.package]),
    ).toMatchObject([
      ['CVE-1', 'changed', { from: '1.0.0', to: '3.0.0' }],
      ['CVE-2', 'removed', { version: '2.0.0' }],
    ])
    const halved = diff(judged([low, high], [on(low, 'CVE-1'), on(high, 'CVE-1')]), judged([high], [on(high, 'CVE-1')]))
    expect(halved.fixed).toEqual([])
    expect(shown(halved.unchanged)).toEqual([['CVE-1', 'a', '2.0.0']])
  })

  it('says what else did it where no package changed', () => {
    const one = deb('curl', '7')
    const verdict = { status: 'not_affected', statusReason: 'Ann (a.json) says not affected' } as const
    const well = judged([one], [on(one, 'CVE-1', verdict)])
    const ill = judged([one], [on(one, 'CVE-1')])
    const reason = 'the other image is not affected: Ann (a.json) says not affected'
    expect(diff(ill, well)).toMatchObject({
      introduced: [],
      fixed: [{ cause: { kind: 'other', reason } }],
      unchanged: [],
    })
    expect(diff(well, ill)).toMatchObject({ introduced: [{ cause: { kind: 'other', reason } }], fixed: [] })
    const release = (versionId: string) => ({ id: 'debian', idLike: [], versionId, codename: null, name: 'Debian' })
    expect(diff(judged([one], [], release('12')), judged([one], [on(one, 'CVE-1')], release('13')))).toMatchObject({
      introduced: [{ cause: { kind: 'other', reason: 'the distribution changed: debian 12 → debian 13' } }],
    })
    expect(diff(judged([one], []), ill).introduced[0]?.cause).toMatchObject({ kind: 'other' })
  })

  it('counts what nobody has ruled out, and what is ignored', () => {
    const one = deb('curl', '7')
    const none = judged([], [])
    const ids = (parts: Partial<Finding>) => diff(none, judged([one], [on(one, 'CVE-1', parts)])).introduced.length
    expect(ids({ status: 'unknown' })).toBe(1)
    expect(ids({ status: 'under_investigation' })).toBe(1)
    expect(ids({ ignored: { reason: null, until: null } })).toBe(1)
    expect(ids({ status: 'fixed' })).toBe(0)
    expect(
      diff(judged([one], [on(one, 'CVE-1', { status: 'unknown' })]), judged([one], [on(one, 'CVE-1')])),
    ).toMatchObject({ introduced: [], fixed: [], unchanged: [{ status: 'affected' }] })
  })

  it('tells of a package that another brought along by the change of that', () => {
    const [owner, owned] = [
      deb('python3-requests', '1'),
      packageOf('pypi', 'requests', '1', { ownedBy: 'python3-requests' }),
    ]
    const { fixed } = diff(judged([owner, owned], [on(owned, 'CVE-1')]), judged([], []))
    expect(fixed[0]?.cause).toMatchObject({ kind: 'removed', package: { name: 'python3-requests' } })
  })

  it('loses nothing, turns around, and does not depend on the order', () => {
    const entry = fc.record({
      name: fc.constantFrom('a', 'b'),
      version: fc.constantFrom('1', '2', '3'),
      source: fc.constantFrom('s', 't'),
      ids: fc.uniqueArray(fc.constantFrom('CVE-1', 'CVE-2', 'GHSA-1'), { minLength: 1 }),
    })
    const side = fc
      .uniqueArray(entry, { maxLength: 6, selector: ({ name, version }) => `${name} ${version}` })
      .map((entries) => {
        const packages = entries.map(({ name, version, source }) =>
          deb(name, version, { source: { name: source, version } }),
        )
        const findings = entries.map(({ ids: [id = '', ...aliases] }, index) =>
          on(packages[index] as Package, id, { aliases }),
        )
        return judged(packages, findings)
      })
    fc.assert(
      fc.property(side, side, (from, to) => {
        const there = diff(from, to)
        const back = diff(to, from)
        expect(there.introduced.length + there.unchanged.length).toBe(to.judgement.findings.length)
        expect(shown(there.introduced)).toEqual(shown(back.fixed))
        expect(shown(there.fixed)).toEqual(shown(back.introduced))
        const turned = ({ inventory, judgement }: JudgedImage) =>
          judged(inventory.packages.toReversed(), judgement.findings.toReversed())
        const again = diff(turned(from), turned(to))
        expect(shown(again.introduced)).toEqual(shown(there.introduced))
        expect(shown(again.unchanged)).toEqual(shown(there.unchanged))
      }),
    )
  })
})

describeWith({ shared: true }, 'diffVulnerabilities of real findings', ({ shared }) => {
  const expected = (name: string) => JSON.parse(readFileSync(join(shared, 'data/expected', name), 'utf8'))
  const isSourceOf = (packages: readonly Package[]) => new Map(packages.map((one) => [one.purl, one.source?.name]))

  /** The findings that the expected files list, as findings of the packages that were really read. */
  const judge = (image: string, rows: readonly { package: string; id: string; cves?: string[]; fixed: string }[]) => {
    const { packages, distribution } = sharedPackages(shared, image)
    const findings = rows.map(({ package: name, id, cves = [], fixed }) => {
      const one = packages.find((each) => each.name === name) as Package
      return on(one, id, { aliases: cves, fixedVersion: fixed })
    })
    return judged(packages, findings, distribution)
  }
  const pairs = (findings: readonly Finding[], { inventory }: JudgedImage) => {
    const sources = isSourceOf(inventory.packages)
    const keys = findings.map(({ id, package: { purl, name } }) => `${id} ${sources.get(purl) ?? name}`)
    return [...new Set(keys)].sort()
  }

  it('counts advisories and sources of nginx 2019-08 and 2019-09 as expected', () => {
    const { from, to, findingsFrom, findingsTo, vulnerabilities } = expected('diffs/nginx-2019-08__2019-09-buster.json')
    const [before, after] = [judge(from, findingsFrom), judge(to, findingsTo)]
    const { introduced, fixed, unchanged } = diff(before, after)
    expect([introduced, fixed]).toEqual([[], []])
    expect(pairs(unchanged, after)).toEqual(vulnerabilities.unchanged.map((pair: string[]) => pair.join(' ')).sort())
    expect(pairs(unchanged, after)).toHaveLength(17)
    expect(unchanged).toHaveLength(findingsTo.length)
  })

  it('finds the 14 that Debian fixed between two point releases, with the changes that did it', () => {
    const { fixed: wanted } = expected('diffs/real-registry-bookworm-point__full-vulnerabilities.json')
    const { findings: rows } = expected('findings/real-registry-bookworm-point__changelogs.json')
    const before = judge('bookworm-min-main', rows)
    const after = judge('bookworm-min-full', [])
    const { introduced, fixed, unchanged } = diff(before, after)
    expect([introduced, unchanged]).toEqual([[], []])
    expect(pairs(fixed, before)).toEqual(
      wanted.map(({ id, sources }: { id: string; sources: string[] }) => `${id} ${sources[0]}`).sort(),
    )
    expect(new Set(fixed.map(({ cause }) => cause.kind))).toEqual(new Set(['changed']))
  })
})
