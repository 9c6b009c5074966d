import { expect, it } from 'vitest'
import type { Advisories } from '../core/advisory.js'
import { cacheAdvisories } from './cached-advisories.js'
import { memoryAdvisories } from './memory-advisories.fixture.js'

it('reads each package and each name once, and tells them apart', () => {
  const reads: string[] = []
  const of: Advisories['of'] = (ecosystem, name) => {
    reads.push(`${ecosystem} ${name}`)
    return []
  }
  const cached = cacheAdvisories({ ...memoryAdvisories([]), of })
  for (let turn = 0; turn < 2; turn++) {
    expect(cached.of('Debian:12', 'a')).toEqual([])
    expect(cached.of('Debian:12', 'b')).toEqual([])
    expect(cached.named('CVE-2026-1001')).toEqual([])
  }
  expect(reads).toEqual(['Debian:12 a', 'Debian:12 b'])
})
