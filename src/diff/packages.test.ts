import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import type { Package } from '../core/package.js'
import { diffPackages } from './packages.js'

const pack = (type: string, name: string, version: string, architecture: string | null = 'amd64'): Package => ({
  ...{ type, name, version, architecture, source: null, licenses: [], evidence: 'db', layer: null, ownedBy: null },
  purl: `pkg:${type}/${name}@${version}`,
})
const told = (from: readonly Package[], to: readonly Package[]) => {
  const { added, removed, changed } = diffPackages(from, to)
  return {
    added: added.map(({ name, version }) => `${name} ${version}`),
    removed: removed.map(({ name, version }) => `${name} ${version}`),
    changed: changed.map(({ from: a, to: b, direction }) => `${a.name} ${a.version} ${direction} ${b.version}`),
  }
}

describe('a diff of packages', () => {
  it('says which way each version went, by its own order', () => {
    const from = [
      pack('deb', 'a', '1.9'),
      pack('deb', 'b', '1:1.0'),
      pack('npm', 'c', '1.0.0'),
      pack('deb', 'd', '1.0'),
    ]
    const to = [
      pack('deb', 'a', '1.10'),
      pack('deb', 'b', '2.0'),
      pack('npm', 'c', '1.0.0+build'),
      pack('deb', 'd', '1.00'),
    ]
    expect(told(from, to)).toEqual({
      added: [],
      removed: [],
      changed: ['a 1.9 up 1.10', 'b 1:1.0 down 2.0', 'd 1.0 rebuilt 1.00', 'c 1.0.0 rebuilt 1.0.0+build'],
    })
  })

  it('never guesses where a text is no version', () => {
    expect(told([pack('golang', 'm', '(devel)')], [pack('golang', 'm', 'v1.0.0')]).changed).toEqual([
      'm (devel) unknown v1.0.0',
    ])
    expect(told([pack('conan', 'm', '1')], [pack('conan', 'm', '2')]).changed).toEqual(['m 1 unknown 2'])
  })

  it('keeps several versions of one package apart: equal ones cancel, the rest are paired from the highest down', () => {
    const versions = (...list: string[]) => list.map((version) => pack('npm', 'x', version, null))
    expect(told(versions('1.0.0', '2.0.0', '3.0.0'), versions('2.0.0', '3.1.0'))).toEqual({
      added: [],
      removed: ['x 1.0.0'],
      changed: ['x 3.0.0 up 3.1.0'],
    })
    expect(told(versions('1.0.0'), versions('1.0.0', '1.0.0'))).toEqual({
      added: ['x 1.0.0'],
      removed: [],
      changed: [],
    })
    expect(told(versions('1.0.0', '1.0.0'), versions('1.0.0', '2.0.0')).changed).toEqual(['x 1.0.0 up 2.0.0'])
  })

  it('takes another architecture for another package', () => {
    expect(told([pack('apk', 'a', '1-r0', 'x86_64')], [pack('apk', 'a', '1-r0', 'aarch64')])).toEqual({
      ...{ added: ['a 1-r0'], removed: ['a 1-r0'], changed: [] },
    })
  })

  const some = fc.array(
    fc
      .tuple(
        fc.constantFrom('deb', 'npm', 'nonsense'),
        fc.constantFrom('a', 'b'),
        fc.constantFrom('1', '1.0', '2-1', 'x'),
      )
      .map(([type, name, version]) => pack(type, name, version)),
    { maxLength: 12 },
  )
  it('does not depend on the order of the lists, loses nothing and is the same backwards', () => {
    fc.assert(
      fc.property(some, some, fc.nat(), (from, to, turn) => {
        const rotate = (list: readonly Package[]) => [
          ...list.slice(turn % (list.length + 1)),
          ...list.slice(0, turn % (list.length + 1)),
        ]
        expect(told(rotate(from), rotate(to))).toEqual(told(from, to))
        const { added, removed, changed } = diffPackages(from, to)
        expect(from.length - removed.length - changed.length).toBe(to.length - added.length - changed.length)
        const back = diffPackages(to, from)
        expect([back.added.length, back.removed.length, back.changed.length]).toEqual([
          removed.length,
          added.length,
          changed.length,
        ])
        expect(told(from, from)).toEqual({ added: [], removed: [], changed: [] })
      }),
    )
  })
})

interface ExpectedDiff {
  readonly packages: {
    readonly added: readonly { name: string; arch: string; version: string }[]
    readonly removed: readonly { name: string; arch: string; version: string }[]
    readonly changed: readonly { name: string; arch: string; from: string; to: string }[]
  }
  readonly from: string
  readonly to: string
}

describeWith({ shared: true }, 'diffs of Debian images', ({ shared }) => {
  const folder = join(shared, 'data/expected/diffs')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^debian-/.test(name)) : []
  it.each(names)('%s', (name) => {
    const expected = JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExpectedDiff
    const { added, removed, changed } = diffPackages(statusOf(expected.from), statusOf(expected.to))
    const line = ({ name: named, architecture, version }: Package) => `${named} ${architecture} ${version}`
    const expectedLine = (entry: { name: string; arch: string; version: string }) =>
      `${entry.name} ${entry.arch} ${entry.version}`
    expect(added.map(line).sort()).toEqual(expected.packages.added.map(expectedLine).sort())
    expect(removed.map(line).sort()).toEqual(expected.packages.removed.map(expectedLine).sort())
    expect(changed.map(({ from, to }) => `${line(from)} ${to.version}`).sort()).toEqual(
      expected.packages.changed.map(({ name: named, arch, from, to }) => `${named} ${arch} ${from} ${to}`).sort(),
    )
  })

  /** The packages of a built image, from the list that dpkg itself made. */
  function statusOf(image: string): Package[] {
    const base = join(shared, 'data/pkgdb/debian-built', image)
    const text = gunzipSync(readFileSync(`${base}.status.gz`)).toString('utf8')
    return text.split(/\n\n+/).flatMap((record) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(record)?.[1] ?? ''
      return /installed$/.test(field('Status'))
        ? [pack('deb', field('Package'), field('Version'), field('Architecture'))]
        : []
    })
  }
})
