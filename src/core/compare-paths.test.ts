import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparePaths } from './compare-paths.js'

describe('comparePaths', () => {
  it('is the order of a walk: a folder before what is in it, names by their bytes', () => {
    const walked = ['a', 'a/b', 'a/b/c', 'a b', 'a-b', 'a.txt', 'a0', '\uffee', '\u{1f600}']
    expect([...walked].reverse().sort(comparePaths)).toEqual(walked)
  })

  it('is the order of the bytes of the first part that differs', () => {
    const unit = fc.constantFrom('a', '.', '-', 'é', '\uffee', '\u{1f600}')
    const path = fc.array(fc.string({ unit, minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(path, path, (a, b) => {
        const at = a.findIndex((name, index) => name !== b[index])
        const [left, right] = [a[at], b[at]]
        const isBefore = at < 0 ? a.length <= b.length : right !== undefined
        const byBytes =
          left === undefined || right === undefined ? 0 : Buffer.compare(Buffer.from(left), Buffer.from(right))
        const byLength = at < 0 && a.length === b.length ? 0 : isBefore ? -1 : 1
        expect(comparePaths(a.join('/'), b.join('/'))).toBe(byBytes || byLength)
      }),
    )
  })
})
