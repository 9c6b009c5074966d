import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AffectedPackage, RangeEvent } from '../core/advisory.js'
import { orderOfEcosystem } from '../versions/list.js'
import { type Comparison, mainModuleComparison, plainComparison, rpmComparison } from './comparison.js'
import { describeRanges, evaluateRanges as evaluate } from './ranges.js'

describe('evaluateRanges', () => {
  it.each([
    ['0.9', 'not-affected', 'below-range', null],
    ['1.0', 'affected', 'in-range', '1.4'],
    ['1.4', 'not-affected', 'above-range', null],
    ['2.0', 'affected', 'in-range', null],
    ['2.5', 'affected', 'in-range', null],
    ['2.6', 'not-affected', 'above-range', null],
  ])(
    '%s is %s: fixed is exclusive, last-affected inclusive, in any order of events',
    (version, verdict, rule, fixed) => {
      const entry = affected('npm', ['last-affected 2.5.0', 'fixed 1.4', 'introduced 2.0.0', 'introduced 1.0.0'])
      expect(evaluateRanges([{ ...entry, ecosystem: 'PyPI' }], of('PyPI', version))).toEqual({
        verdict,
        rule,
        fixed,
        range: '>= 1.0.0, < 1.4 || >= 2.0.0, <= 2.5.0',
      })
    },
  )

  it('is a hit when any range or the list holds it', () => {
    const entries = [
      affected('npm', ['introduced 1.0.0', 'fixed 1.1.0']),
      affected('npm', ['introduced 0', 'fixed 0.5.0']),
    ]
    expect(evaluateRanges(entries, of('npm', '0.4.0'))).toMatchObject({ verdict: 'affected', fixed: '0.5.0' })
    const listed = { ...affected('npm', ['introduced 1.0.0', 'fixed 1.1.0']), versions: ['3.0.0'] }
    expect(evaluateRanges([listed], of('npm', '3.0.0'))).toMatchObject({ verdict: 'affected', rule: 'listed' })
  })

  it('joins stretches that meet, and goes on to the fix that is in no other range', () => {
    const met = affected('npm', ['introduced 0', 'fixed 1.0.0', 'introduced 1.0.0', 'fixed 2.0.0'])
    expect(evaluateRanges([met], of('npm', '0.1.0'))).toMatchObject({ fixed: '2.0.0', range: '< 2.0.0' })
    expect(evaluateRanges([met], of('npm', '1.0.0'))).toMatchObject({ verdict: 'affected' })
    const other = affected('npm', ['introduced 0.9.0', 'last-affected 1.0.0'])
    const first = affected('npm', ['introduced 0', 'fixed 1.0.0'])
    expect(evaluateRanges([first, other], of('npm', '0.1.0'))).toMatchObject({ verdict: 'affected', fixed: null })
    const single = affected('npm', ['introduced 3.0.0', 'last-affected 3.0.0'])
    expect(evaluateRanges([single], of('npm', '3.0.0'))).toMatchObject({ verdict: 'affected', range: '= 3.0.0' })
  })

  it('looks no further than a limit, which is no fix', () => {
    const entry = affected('npm', ['introduced 0', 'limit 2.0.0'])
    expect(evaluateRanges([entry], of('npm', '1.0.0'))).toMatchObject({ verdict: 'affected', fixed: null })
    expect(evaluateRanges([entry], of('npm', '2.0.0'))).toMatchObject({ verdict: 'not-affected' })
    const star = affected('npm', ['introduced 0', 'limit *'])
    expect(evaluateRanges([star], of('npm', '2.0.0'))).toMatchObject({ verdict: 'affected' })
  })

  it('is unknown, never no, where a version cannot be read', () => {
    const entry = affected('npm', ['introduced 1.0.0', 'fixed 2.0.0'])
    expect(evaluateRanges([entry], of('npm', 'nightly'))).toMatchObject({
      verdict: 'unknown',
      rule: 'unreadable-installed',
    })
    const odd = affected('npm', ['introduced 1.0.0', 'fixed soon'])
    expect(evaluateRanges([odd], of('npm', '0.5.0'))).toMatchObject({
      verdict: 'unknown',
      rule: 'unreadable-advisory',
      range: '>= 1.0.0, < soon',
    })
    expect(evaluateRanges([entry, odd], of('npm', '1.5.0'))).toMatchObject({ verdict: 'affected' })
    expect(evaluateRanges([entry], plainComparison(null, '1.0.0'))).toMatchObject({ verdict: 'unknown' })
    const all = affected('npm', ['introduced 0'])
    expect(evaluateRanges([all], of('npm', 'nightly'))).toMatchObject({ verdict: 'affected', range: '>= 0' })
  })

  it('compares a list by order where there are no ranges, and says nothing of an empty entry', () => {
    const entry = { ...affected('PyPI', []), ranges: [], versions: ['1.0', 'legacy'] }
    expect(evaluateRanges([entry], of('PyPI', '1.0.0'))).toMatchObject({
      verdict: 'affected',
      range: '= 1.0 || = legacy',
    })
    expect(evaluateRanges([entry], of('PyPI', '1.0.1'))).toMatchObject({
      verdict: 'not-affected',
      rule: 'outside-list',
    })
    expect(evaluateRanges([entry], of('PyPI', 'legacy'))).toMatchObject({ verdict: 'affected' })
    expect(evaluateRanges([entry], of('PyPI', 'odd one'))).toMatchObject({ verdict: 'unknown' })
    expect(evaluateRanges([{ ...entry, versions: [] }], of('PyPI', '1'))).toMatchObject({ rule: 'no-range', range: '' })
  })

  it('holds an rpm without its release against a version that has none, and without its epoch where none is known', () => {
    const entry = affected('Red Hat', ['introduced 0', 'fixed 1.2'])
    expect(evaluateRanges([entry], rpmComparison('1.2-3.el9', false))).toMatchObject({ verdict: 'not-affected' })
    expect(evaluateRanges([entry], rpmComparison('1.1-3.el9', false))).toMatchObject({ verdict: 'affected' })
    const last = affected('Red Hat', ['introduced 0', 'last-affected 1.2'])
    expect(evaluateRanges([last], rpmComparison('1.2-3.el9', false))).toMatchObject({ verdict: 'affected' })
    const epoch = affected('SUSE', ['introduced 0', 'fixed 4:5.26-2'])
    expect(evaluateRanges([epoch], rpmComparison('5.26-3', false))).toMatchObject({ verdict: 'affected' })
    expect(evaluateRanges([epoch], rpmComparison('5.26-3', true))).toMatchObject({ verdict: 'not-affected' })
  })

  it('does not hold an untagged build of a Go program against a release', () => {
    const order = orderOfEcosystem('Go')
    const entry = affected('Go', ['introduced 0', 'fixed 3.0.4'])
    const main = (version: string) => evaluateRanges([entry], mainModuleComparison(order, version)).verdict
    expect(main('v3.0.0-20250101000000-0123456789ab')).toBe('unknown')
    expect(main('v3.0.3+dirty')).toBe('unknown')
    expect(main('(devel)')).toBe('unknown')
    expect(main('v3.0.4-0.20250101000000-0123456789ab')).toBe('affected')
    const commit = affected('Go', ['introduced 0', 'fixed 0.0.0-20220412211240-33da011f77ad'])
    const old = mainModuleComparison(order, 'v0.0.0-20210817142637-7d9622a276b7')
    expect(evaluateRanges([commit], old)).toMatchObject({ verdict: 'affected' })
  })

  const version = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)).map((parts) => parts.join('.'))
  const kind = fc.constantFrom('introduced', 'fixed', 'last-affected', 'limit')

  it("answers as the specification's own loop does, where no two events name one version", () => {
    const events = fc.uniqueArray(fc.record({ kind, version }), { maxLength: 8, selector: (event) => event.version })
    fc.assert(
      fc.property(events, version, (list, installed) => {
        const hasBeginning = list.some((event) => event.kind === 'introduced')
        fc.pre(hasBeginning)
        const entry = { ...affected('npm', []), ranges: [{ type: 'SEMVER' as const, events: list }] }
        const { verdict, fixed } = evaluateRanges([entry], of('npm', installed))
        expect(verdict).toBe(specification(list, installed) ? 'affected' : 'not-affected')
        if (fixed !== null) {
          expect(specification(list, fixed)).toBe(false)
          expect(key(fixed) > key(installed)).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('does not depend on the order of events, and never throws', () => {
    const text = fc.oneof(version, fc.string({ maxLength: 8 }), fc.constant('0'))
    const events = fc.array(fc.record({ kind, version: text }), { maxLength: 8 })
    fc.assert(
      fc.property(events, text, fc.nat(7), (list, installed, by) => {
        const turned = [...list.slice(by), ...list.slice(0, by)]
        const answer = (of_: RangeEvent[]) =>
          evaluateRanges([{ ...affected('npm', []), ranges: [{ type: 'SEMVER', events: of_ }] }], of('npm', installed))
        expect(answer(turned).verdict).toBe(answer(list).verdict)
      }),
    )
  })
})

function evaluateRanges(entries: readonly AffectedPackage[], comparison: Comparison) {
  return { ...evaluate(entries, comparison), range: describeRanges(entries, comparison) }
}

const semver = orderOfEcosystem('npm')

function key(version: string): string {
  return version === '0' ? '' : (semver?.key(version) ?? 'unreadable')
}

/** `IncludedInRanges` and `BeforeLimits` of the OSV schema 1.7, "Evaluation". */
function specification(events: readonly RangeEvent[], version: string): boolean {
  const limits = events.filter((event) => event.kind === 'limit')
  if (limits.length > 0 && !limits.some((limit) => key(version) < key(limit.version))) return false
  let isVulnerable = false
  for (const event of events.toSorted((a, b) => (key(a.version) < key(b.version) ? -1 : 1))) {
    if (event.kind === 'introduced' && key(version) >= key(event.version)) isVulnerable = true
    if (event.kind === 'fixed' && key(version) >= key(event.version)) isVulnerable = false
    if (event.kind === 'last-affected' && key(version) > key(event.version)) isVulnerable = false
  }
  return isVulnerable
}

function of(ecosystem: string, version: string): Comparison {
  return plainComparison(orderOfEcosystem(ecosystem), version)
}

/** @param events `introduced 1.0.0` */
function affected(ecosystem: string, events: readonly string[]): AffectedPackage {
  const read = events.map((text) => {
    const [kind = '', version = ''] = text.split(' ')
    return { kind: kind as RangeEvent['kind'], version }
  })
  return {
    ecosystem,
    name: 'x',
    status: 'affected',
    ranges: [{ type: 'ECOSYSTEM', events: read }],
    versions: [],
    fix: 'open',
    architectures: [],
    module: null,
    binaries: [],
    ratings: [],
  }
}
