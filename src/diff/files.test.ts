import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparePaths } from '../core/compare-paths.js'
import type { FileFact } from '../core/image-facts.js'
import { diffFiles } from './files.js'

const file = (path: string, digest: string | null = 'aa'): FileFact => ({
  ...{ path, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 3, mtime: 1, link: null, digest },
})

describe('diffFiles', () => {
  it('finds what a comparison by path finds, in any order, and the opposite the other way round', () => {
    const entry = fc.record({ path: fc.constantFrom('a', 'a/b', 'a.b', 'b', 'c/d'), digest: fc.constantFrom('x', 'y') })
    const inAnyOrder = fc
      .uniqueArray(entry, { selector: ({ path }) => path })
      .map((list) => list.map(({ path, digest }) => file(path, digest)))
    const walked = inAnyOrder.map((list) => list.toSorted((a, b) => comparePaths(a.path, b.path)))
    const tree = fc.oneof(inAnyOrder, walked)
    fc.assert(
      fc.property(tree, tree, (from, to) => {
        const digests = (list: FileFact[]) => new Map(list.map(({ path, digest }) => [path, digest]))
        const [before, after] = [digests(from), digests(to)]
        const diff = diffFiles(from, to)
        expect(diff?.added).toEqual([...after.keys()].filter((path) => !before.has(path)).sort())
        expect(diff?.removed).toEqual([...before.keys()].filter((path) => !after.has(path)).sort())
        const changed = [...after.keys()].filter((path) => before.has(path) && before.get(path) !== after.get(path))
        expect(diff?.changed.map(({ path }) => path)).toEqual(changed.sort())
        const back = diffFiles(to, from)
        expect([back?.added, back?.removed, back?.changed]).toEqual([diff?.removed, diff?.added, diff?.changed])
      }),
    )
  })

  it('holds no entry longer than it compares it', () => {
    const reads: string[] = []
    const tree = function* (name: string): Generator<FileFact> {
      for (let index = 0; index < 100; index++) {
        reads.push(name)
        yield file(String(index).padStart(3, '0'))
      }
    }
    expect(diffFiles(tree('from'), tree('to'))).toMatchObject({ added: [], removed: [], changed: [] })
    // Both are read in step: one that held a side would read it whole first.
    const lead = reads.map(
      (_, index) => reads.slice(0, index + 1).filter((name) => name === 'from').length * 2 - index - 1,
    )
    expect(Math.max(...lead.map(Math.abs))).toBeLessThanOrEqual(1)
  })
})
