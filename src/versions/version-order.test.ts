import { describe, expect, it } from 'vitest'
import { countKey, fallingCountKey, numberKey } from './sort-key.js'
import { compareKeys, compareVersions, isVersion, type VersionOrder } from './version-order.js'

/** An order that is easy to see through: whole numbers. */
const whole: VersionOrder = { name: 'whole', key: (text) => (/^[0-9]+$/.test(text) ? numberKey(text) : null) }

describe('compareVersions', () => {
  it('answers -1, 0, 1, and null when one side is not a version', () => {
    expect(compareVersions(whole, '9', '10')).toBe(-1)
    expect(compareVersions(whole, '010', '10')).toBe(0)
    expect(compareVersions(whole, '10', '9')).toBe(1)
    expect(compareVersions(whole, 'x', '9')).toBeNull()
    expect(compareVersions(whole, '9', '')).toBeNull()
    expect([isVersion(whole, '9'), isVersion(whole, 'x')]).toEqual([true, false])
  })
})

describe('keys', () => {
  it('keep the order of numbers of any length, leading zeros or not', () => {
    const rising = [
      '',
      '1',
      '9',
      '10',
      '99',
      '20210530193627',
      `1${'0'.repeat(16_382)}`,
      '9'.repeat(16_384),
      '9'.repeat(40_000),
    ]
    const keys = rising.flatMap((digits) => [numberKey(digits), numberKey(`00${digits}`)])
    expect(keys).toEqual([...keys].sort(compareKeys))
    expect(new Set(keys).size).toBe(rising.length)
  })

  it('keep the order of counts, upwards and downwards', () => {
    const counts = [0, 1, 2, 9, 10, 16_383, 16_384, 16_385, 32_768, 1_000_000, 100_000_000]
    expect(counts.map(countKey)).toEqual(counts.map(countKey).sort(compareKeys))
    expect(counts.map(fallingCountKey)).toEqual(counts.map(fallingCountKey).sort(compareKeys).reverse())
    expect(new Set(counts.map(fallingCountKey)).size).toBe(counts.length)
  })

  it('never end where another goes on, so what follows them cannot matter', () => {
    for (const make of [countKey, fallingCountKey]) {
      const keys = [0, 1, 9, 10, 99, 100, 16_383, 16_384, 40_000].map(make)
      for (const a of keys) for (const b of keys) expect(a !== b && b.startsWith(a)).toBe(false)
    }
  })
})
