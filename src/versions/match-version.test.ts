import { describe, expect, it } from 'vitest'
import { matchVersion } from './match-version.js'

describe('matchVersion', () => {
  it('matches up to 1,048,576 characters', () => {
    expect(matchVersion(/^1(?:\.1)*0$/, `${'1.'.repeat(524_287)}10`)?.[0]).toHaveLength(1_048_576)
    expect(matchVersion(/^1+$/, '1'.repeat(1_048_577))).toBeNull()
  })

  it('does not throw where the pattern itself would', () => {
    const pattern = /^[0-9]+(?:\.[0-9]+)*$/
    const text = `1${'.1'.repeat(10_000_000)}`
    expect(() => pattern.exec(text)).toThrow(RangeError)
    expect(matchVersion(pattern, text)).toBeNull()
  })
})
