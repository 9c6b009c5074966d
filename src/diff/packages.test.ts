import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { sharedPackages } from '../../test/support/shared-packages.js'
import type { PackagesDiff } from '../core/image-diff.js'
import type { Package } from '../core/package.js'
import { packagePurl } from '../core/purl.js'
import { diffPackages } from './packages.js'

const one = (type: string, name: string, version: string, more: Partial<Package> = {}): Package => {
  const found = { type, name, version, architecture: null, source: null, licenses: [], evidence: 'file', ...more }
  return { ...found, purl: packagePurl(found, null), layer: null, ownedBy: null, ...more }
}

/** `npm:lodash:1.0.0` … as packages. */
const list = (...texts: string[]): Package[] =>
  texts.map((text) => {
    const [type = '', name = '', version = ''] = text.split(' ')
    return one(type, name, version)
  })

const summary = ({ added, removed, changed }: PackagesDiff): string[] => [
  ...added.map(({ name, version }) => `+ ${name} ${version}`),
  ...removed.map(({ name, version }) => `- ${name} ${version}`),
  ...changed.map(({ from, to, direction }) => `${direction} ${from.name} ${from.version} ${to.version}`),
]

describe('diffPackages', () => {
  it.each([
    ['added and removed', list('deb a 1'), list('deb b 1'), ['+ b 1', '- a 1']],
    ['up', list('deb a 1.9'), list('deb a 1.10'), ['up a 1.9 1.10']],
    ['down', list('deb a 1:1'), list('deb a 2'), ['down a 1:1 2']],
    ['rebuilt: another spelling of one version', list('deb a 0:1.0'), list('deb a 1.0'), ['rebuilt a 0:1.0 1.0']],
    [
      'rebuilt: the same Debian sources',
      [one('deb', 'bash', '5.2.15-2+b13', { source: { name: 'bash', version: '5.2.15-2' } }), ...list('deb b 1.0-1')],
      [...list('deb bash 5.2.15-2'), one('deb', 'b', '1.0-1+b1', { source: { name: 'b', version: '1.0-1' } })],
      ['rebuilt b 1.0-1 1.0-1+b1', 'rebuilt bash 5.2.15-2+b13 5.2.15-2'],
    ],
    [
      'up: other Debian sources, and releases of apk and rpm',
      [
        one('deb', 'a', '1-1+b1', { source: { name: 'a', version: '1-1' } }),
        one('apk', 'b', '1.30.1-r2', { source: { name: 'b', version: '1.30.1-r2' } }),
        one('rpm', 'c', '1-1.el9', { source: { name: 'c', version: '1-1.el9' } }),
      ],
      [
        one('deb', 'a', '1-2', { source: null }),
        one('apk', 'b', '1.30.1-r3', { source: { name: 'b', version: '1.30.1-r3' } }),
        one('rpm', 'c', '1-2.el9', { source: { name: 'c', version: '1-2.el9' } }),
      ],
      ['up b 1.30.1-r2 1.30.1-r3', 'up a 1-1+b1 1-2', 'up c 1-1.el9 1-2.el9'],
    ],
    ['equal ones cancel', list('npm a 1.0.0', 'npm a 2.0.0'), list('npm a 2.0.0', 'npm a 3.0.0'), ['up a 1.0.0 3.0.0']],
    ['copies count', list('npm a 1.0.0', 'npm a 1.0.0'), list('npm a 1.0.0'), ['- a 1.0.0']],
    [
      'pairs in the order of versions',
      list('npm a 1.10.0', 'npm a 1.9.0'),
      list('npm a 2.10.0', 'npm a 1.11.0'),
      ['up a 1.10.0 2.10.0', 'up a 1.9.0 1.11.0'],
    ],
    ['no order: texts', list('generic a 10'), list('generic a 9'), ['unknown a 10 9']],
    ['no version of its order: texts', list('npm a latest'), list('npm a 1.0.0'), ['unknown a latest 1.0.0']],
    ['types are apart', list('npm a 1.0.0'), list('pypi a 1.0.0'), ['+ a 1.0.0', '- a 1.0.0']],
    ['spellings of a name are one', list('pypi Ruamel.Yaml 1'), list('pypi ruamel_yaml 2'), ['up Ruamel.Yaml 1 2']],
    [
      'architectures are apart',
      [one('deb', 'a', '1', { architecture: 'amd64' })],
      [one('deb', 'a', '1', { architecture: 'arm64' })],
      ['+ a 1', '- a 1'],
    ],
    [
      'what a package brought along is told by it',
      [...list('deb python3-six 1'), one('pypi', 'six', '1', { ownedBy: 'python3-six' })],
      [...list('deb python3-six 2'), one('pypi', 'six', '2', { ownedBy: 'python3-six' })],
      ['up python3-six 1 2'],
    ],
  ])('%s', (_, from, to, expected) => {
    expect(summary(diffPackages(from, to))).toEqual(expected)
  })

  const packages = fc.array(
    fc
      .record({
        type: fc.constantFrom('npm', 'deb', 'generic'),
        name: fc.constantFrom('a', 'b'),
        version: fc.constantFrom('1.0.0', '01.0.0', '2.0.0', '10.0.0', 'x'),
        evidence: fc.constantFrom('p', 'q'),
      })
      .map(({ type, name, version, evidence }) => one(type, name, version, { evidence })),
    { maxLength: 12 },
  )

  it('does not depend on the order of its input', () => {
    const shuffled = packages.chain((items) =>
      fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length })),
    )
    fc.assert(
      fc.property(shuffled, shuffled, ([from, from2], [to, to2]) => {
        expect(diffPackages(from2, to2)).toEqual(diffPackages(from, to))
      }),
    )
  })

  it('loses and invents nothing: the first, without what went, with what came, is the second', () => {
    const texts = (items: readonly Package[]) =>
      items.map(({ type, name, version }) => `${type} ${name} ${version}`).sort()
    fc.assert(
      fc.property(packages, packages, (from, to) => {
        const { added, removed, changed } = diffPackages(from, to)
        const gone = texts([...removed, ...changed.map((change) => change.from)])
        const kept = texts(from)
        for (const text of gone) kept.splice(kept.indexOf(text), 1)
        const made = [...kept, ...texts([...added, ...changed.map((change) => change.to)])].sort()
        expect(made).toEqual(texts(to))
        expect(diffPackages(from, from)).toEqual({ added: [], removed: [], changed: [] })
      }),
    )
  })

  it('is the other way round when asked the other way round', () => {
    fc.assert(
      fc.property(packages, packages, (from, to) => {
        const there = diffPackages(from, to)
        const back = diffPackages(to, from)
        expect(back.added).toEqual(there.removed)
        expect(back.changed.length).toBe(there.changed.length)
        const ups = ({ changed }: PackagesDiff) => changed.filter(({ direction }) => direction === 'up').length
        const downs = ({ changed }: PackagesDiff) => changed.filter(({ direction }) => direction === 'down').length
        expect(ups(back)).toBe(downs(there))
      }),
    )
  })
})

interface ExpectedDiff {
  readonly from: string
  readonly to: string
  readonly packages?: Record<'added' | 'removed' | 'changed', { name: string; arch: string }[]>
}

describeWith({ shared: true }, 'diffPackages on real images', ({ shared }) => {
  const folder = join(shared, 'data/expected/diffs')
  const sorted = (items: readonly object[]) => items.map((item) => JSON.stringify(item)).sort()
  for (const file of shared === '' ? [] : readdirSync(folder)) {
    const expected = JSON.parse(readFileSync(join(folder, file), 'utf8')) as ExpectedDiff
    if (expected.packages === undefined) continue
    it(file, () => {
      const from = sharedPackages(shared, expected.from)
      const to = sharedPackages(shared, expected.to)
      expect(Math.min(from.packages.length, to.packages.length)).toBeGreaterThan(10)
      const { added, removed, changed } = diffPackages(from.packages, to.packages)
      const facts = ({ name, architecture: arch, version }: Package) => ({ name, arch, version })
      expect(sorted(added.map(facts))).toEqual(sorted(expected.packages?.added ?? []))
      expect(sorted(removed.map(facts))).toEqual(sorted(expected.packages?.removed ?? []))
      const changes = changed.map((change) => {
        return {
          name: change.from.name,
          arch: change.from.architecture,
          from: change.from.version,
          to: change.to.version,
        }
      })
      expect(sorted(changes)).toEqual(sorted(expected.packages?.changed ?? []))
    })
  }
})
