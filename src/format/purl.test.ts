import { describe, expect, it } from 'vitest'
import { inventoryOf, packageOf } from '../../test/support/image-diffs.js'
import { purl } from './purl.js'

describe('purl', () => {
  it('writes each once, sorted', () => {
    const packages = [packageOf('npm', '@a/b', '1'), packageOf('cargo', 'rand', '0.7.2'), packageOf('npm', '@a/b', '1')]
    expect(purl.write(inventoryOf(packages))).toBe('pkg:cargo/rand@0.7.2\npkg:npm/%40a/b@1\n')
    expect(purl.write(inventoryOf([]))).toBe('')
  })
})
