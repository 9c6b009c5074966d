import { describe, expect, it } from 'vitest'
import { imageDiff, packageOf } from '../../test/support/image-diffs.js'
import { github } from './github.js'

describe('github', () => {
  it('fits a job summary whatever the characters', () => {
    const added = Array.from({ length: 5_000 }, (_, index) => packageOf('generic', `${'𝔵'.repeat(90)}${index}`, '1'))
    const text = github.write(imageDiff({ packages: { added, removed: [], changed: [] } }))
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024)
    expect(text).toContain('more.')
  })
})
