import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { nuget } from './nuget.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('nuget', () => {
  // learn.microsoft.com/nuget/concepts/package-versioning, and NuGet.Versioning 6: NuGetVersionFactory, VersionComparer.
  it('orders as NuGet does', () => {
    const lines = parseComparisons([
      '1 = 1.0.0.0',
      '1.0 = 1.0.0',
      '1.00 = 1.0',
      '1.01.1 = 1.1.1',
      '1.0.0.1 > 1.0.0',
      '1.0.0.1-a > 1.0.0',
      '1.0.0-alpha < 1.0.0-beta',
      '1.0.0-ALPHA = 1.0.0-alpha',
      '1.0.0-Beta < 1.0.0-rc',
      '1.0.0-9 < 1.0.0-10',
      '1.0.0-99 < 1.0.0-a',
      '1.0.0-a < 1.0.0-a.1',
      '1.0.0-a.9 < 1.0.0-a.10',
      '1.0.0-rc10 < 1.0.0-rc2',
      '1.0.0-rc < 1.0.0',
      '1.0.0+a = 1.0.0+b',
      '1.0.0-20210530193627 < 1.0.0-202205301936',
      '1.0.0-2147483647 < 1.0.0-1234567890123',
    ])
    expect(disagreements(nuget, lines)).toEqual([])
  })

  it('refuses what NuGet refuses', () => {
    const invalid = [
      '',
      'v1',
      '1.',
      '.1',
      '1.2.3.4.5',
      '1.2.3-',
      '1.2.3-01',
      '1.2.3-a..b',
      '1.2.3+',
      '1.x',
      '1.0-é',
      '[1.0,2.0)',
    ]
    for (const text of invalid) expect([text, isVersion(nuget, text)]).toEqual([text, false])
    expect(isVersion(nuget, ' 1.0\n')).toBe(true)
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', 'A', 'Z', '+', '.0', '.a', '-a', '-1', '2147483648']

isTotalOrder(nuget, ['1.2.3.4', '1.0.0-alpha.1+build.5', '1', '1.0-RC'], pieces)

agreesWithTables(nuget, { files: ['nuget-versions.txt'], pieces })
