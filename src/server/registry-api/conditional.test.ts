import { describe, expect, it } from 'vitest'
import { isUnchanged, readRange } from './conditional.js'

/** RFC 9110 sections 13.1.2 and 14.1.2, with their own examples. */
describe('conditional requests', () => {
  it('compare entity tags weakly, in a list too', () => {
    for (const header of ['"xyzzy"', 'W/"xyzzy"', '"xyzzy", "r2d2xxxx", "c3piozzzz"', '"r2d2xxxx",W/"xyzzy"', '*']) {
      expect([header, isUnchanged(header, '"xyzzy"')]).toEqual([header, true])
    }
    for (const header of [undefined, '', 'xyzzy', '"xyzz"', '"xyzzy']) {
      expect([header, isUnchanged(header, '"xyzzy"')]).toEqual([header, false])
    }
  })

  it('read one range of bytes, and take all else for none', () => {
    const read = (range: string) => readRange(range, undefined, '"x"')
    expect(read('bytes=0-499')).toEqual({ first: 0, last: 499 })
    expect(read('bytes=9500-')).toEqual({ first: 9_500, last: null })
    expect(read('bytes=-500')).toEqual({ suffix: 500 })
    for (const range of [
      'bytes=0-0,-1',
      'bytes=',
      'bytes=-',
      'bytes=5-4',
      'items=0-1',
      'bytes=a-b',
      'bytes=1e3-',
      '',
    ]) {
      expect([range, read(range)]).toEqual([range, null])
    }
    expect(() => read('bytes=-0')).toThrow(expect.objectContaining({ code: 'invalid-range' }))
  })
})
