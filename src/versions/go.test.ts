import { describe, expect, it } from 'vitest'
import { disagreements, parseComparisons } from './comparisons.contract.js'
import { go } from './go.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { isVersion } from './version-order.js'

describe('go', () => {
  // go.dev/ref/mod#versions and #pseudo-versions; golang.org/x/mod/semver v0.27.0 answers the same.
  it('orders the versions of modules', () => {
    const lines = parseComparisons([
      'v1.2.3 = 1.2.3',
      'v1 = v1.0.0',
      'v2.0.0+incompatible = v2.0.0',
      'v1.9.0 < v2.0.0+incompatible',
      'v0.0.0-20191109021931-daa7c04131f5 < v0.0.0',
      'v0.0.0-20191109021931-daa7c04131f5 < v0.0.0-20200109021931-0aa7c04131f5',
      'v1.2.3-rc.1 < v1.2.3-rc.1.0.20191109021931-daa7c04131f5',
      'v1.2.3-rc.1.0.20191109021931-daa7c04131f5 < v1.2.3-rc.2',
      'v1.2.2 < v1.2.3-0.20191109021931-daa7c04131f5',
      'v1.2.3-0.20191109021931-daa7c04131f5 < v1.2.3-alpha',
      'v1.2.3-0.20191109021931-daa7c04131f5 < v1.2.3',
    ])
    expect(disagreements(go, lines)).toEqual([])
  })

  // go/version of Go 1.26 for two toolchains; the Go vulnerability database for a toolchain and a semantic version.
  it('orders toolchains, among themselves and with what advisories write', () => {
    const lines = parseComparisons([
      'go1.20 = go1.20.0',
      'go1.20rc1 < go1.20',
      'go1.20beta1 < go1.20rc1',
      'go1.20.1 > go1.20',
      'go1.21 < go1.21rc1',
      'go1.20.14 < go1.21',
      'go1.21rc2 < go1.21rc10',
      'go1.21rc4 < go1.21.0',
      'go1.9 < go1.10',
      'go1 = go1.0.0',
      'go1.21.3-fips = go1.21.3',
      'go1.21rc1 = 1.21.0-rc.1',
      'go1.21.0 = 1.21.0',
      'go1.21rc1 > 1.21.0-0',
      'go1.20.5 < 1.21.0-0',
      'go1.21 < 1.21.0-0',
      'go1.22.1 < v1.22.2',
    ])
    expect(disagreements(go, lines)).toEqual([])
    expect(isVersion(go, 'go1.21.0 X:boringcrypto')).toBe(true)
  })

  it('refuses development builds and what is malformed', () => {
    const modules = ['(devel)', '', 'v', 'master', 'v1.2.3.4', 'v01.2.3', '=1.2.3', 'v1.2.3-01', 'v1.2.3 ', 'latest']
    const toolchains = [
      'go',
      'go1.',
      'go1.021',
      'go1.21.3rc1',
      'go1.21RC1',
      'go1.21.',
      'go1.21rc01',
      'devel go1.22-abc',
      'gopher',
    ]
    for (const text of [...modules, ...toolchains]) expect([text, isVersion(go, text)]).toEqual([text, false])
  })
})

const pieces = [
  '.',
  '-',
  '0',
  '1',
  '21',
  'rc',
  'rc1',
  'v',
  'go',
  'go1.',
  '+incompatible',
  '.0',
  '-0.',
  '20191109021931',
  'beta',
]

isTotalOrder(
  go,
  ['v1.2.3', 'go1.21', 'go1.21rc1', 'v0.0.0-20191109021931-daa7c04131f5', 'v2.0.0+incompatible', '1.21.0-0'],
  pieces,
)

agreesWithTables(go, { files: ['semver-versions.txt'], pieces })
