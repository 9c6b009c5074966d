import { describe, expect, it } from 'vitest'
import { compileCaptures, wantedByPath } from './capture.js'
import type { Capture } from './packages/package-reader.js'

const capture = (kind: string, more: Partial<Capture> = {}): Capture => ({ kind, maxBytes: 10, ...more })
const kinds = (captures: readonly Capture[]) => captures.map(({ kind }) => kind).sort()

describe('compileCaptures', () => {
  const matcher = compileCaptures([
    { captures: [capture('name', { names: ['status'] }), capture('extension', { extensions: ['.jar', '.d'] })] },
    { captures: [capture('folder', { directories: ['var/lib/dpkg/status.d'] })] },
    {
      captures: [
        capture('chosen', { names: ['status'], extensions: ['.d'], wants: (path) => path.startsWith('opt/') }),
      ],
    },
    {
      captures: [
        capture('elf', { magic: [Buffer.from('\x7fELF', 'latin1')] }),
        capture('two', { magic: [Buffer.of(1), Buffer.of(2, 3)] }),
      ],
    },
  ])

  it.each([
    ['var/lib/dpkg/status', ['name']],
    ['status', ['name']],
    ['opt/status', ['chosen', 'name']],
    ['opt/status.d', ['chosen', 'extension']],
    ['a/b.jar', ['extension']],
    ['a/.jar', ['extension']],
    ['a.jar/b', []],
    ['var/lib/dpkg/status.d/base', ['folder']],
    ['var/lib/dpkg/status.d/sub/base', []],
    ['var/lib/dpkg/status.d/a.jar', ['extension', 'folder']],
    ['etc/os-release', ['os-release']],
    ['home/os-release', []],
  ])('%s is wanted by %j', (path, wanted) => {
    expect(kinds(wantedByPath(matcher, path))).toEqual(wanted)
  })

  it('looks at first bytes', () => {
    expect(matcher.magicBytes).toBe(4)
    expect(kinds(matcher.byMagic(Buffer.from('\x7fELF\x02', 'latin1')))).toEqual(['elf'])
    expect(kinds(matcher.byMagic(Buffer.of(2, 3)))).toEqual(['two'])
    expect(kinds(matcher.byMagic(Buffer.of(2)))).toEqual([])
    expect(kinds(matcher.byMagic(Buffer.alloc(0)))).toEqual([])
  })

  it('has a version that follows from what is kept, and from nothing else', () => {
    const version = (...captures: Capture[]) => compileCaptures([{ captures }]).version
    const a = capture('a', { names: ['x', 'y'] })
    const b = capture('b', { extensions: ['.z'] })
    expect(version(a, b)).toMatch(/^[0-9a-f]{16}$/)
    expect(version(b, { ...a, names: ['y', 'x'] })).toBe(version(a, b))
    for (const other of [
      capture('a', { names: ['x'] }),
      { ...a, maxBytes: 11 },
      { ...a, magic: [Buffer.of(1)] },
      { ...a, kind: 'c' },
    ]) {
      expect(version(other, b)).not.toBe(version(a, b))
    }
  })

  it('takes a capture that two readers share once, and two of one kind never', () => {
    const shared = capture('shared', { names: ['x'] })
    expect(compileCaptures([{ captures: [shared] }, { captures: [shared] }]).captures).toHaveLength(2)
    expect(() => compileCaptures([{ captures: [shared, capture('shared')] }])).toThrow(
      /two captures are called 'shared'/,
    )
  })
})
