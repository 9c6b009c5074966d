import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWith, sharedFolder } from '../../test/support/needs.js'
import { disagreements, parseComparisons, readComparisons, sign, versionsOf } from './comparisons.contract.js'
import { deb } from './deb.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { compareVersions, isVersion } from './version-order.js'

const traps = parseComparisons([
  '1.0 = 0:1.0',
  '1.0 = 1.0-0',
  '1.0 = 1.0-00',
  '2.0 < 1:1.0',
  '1.0~~ < 1.0~~a',
  '1.0~~a < 1.0~',
  '1.0~ < 1.0',
  '1.0~rc1-1 < 1.0-1',
  '1.0-1~deb12u1 < 1.0-1',
  '1.0 < 1.0a',
  '1.0a < 1.0+',
  '1.0z < 1.0.1',
  '1.0A < 1.0a',
  '1.0+b1 > 1.0-1+b1',
  '1.0-1 < 1.0-1+b1',
  '1.0-1+b1 < 1.0-1.1',
  '1.09 = 1.9',
  '1.9 < 1.10',
  '1. = 1.0',
  '1-a = 1-a0',
  '1.0-1-1 > 1.0-1',
  '1:1:1 > 1:1',
  '1.20210530193627 < 1.20210530193628',
])

describe('deb', () => {
  // Expected: deb-version(7), and dpkg itself below.
  it('orders epochs, ~, letters, the rest and numbers as dpkg does', () => {
    expect(disagreements(deb, traps)).toEqual([])
  })

  it('compares numbers and versions of any length', () => {
    const [nines, more] = ['9'.repeat(20_000), `1${'0'.repeat(20_000)}`]
    expect(disagreements(deb, parseComparisons([`1.${nines} < 1.${more}`, `1.0${more} = 1.${more}`]))).toEqual([])
    const long = '1.'.repeat(100_000)
    expect(disagreements(deb, parseComparisons([`${long}1 < ${long}2`]))).toEqual([])
  })

  // dpkg 1.21 warns of the first kind and refuses the second; neither is a version of a package.
  it('refuses what dpkg calls bad syntax', () => {
    const warned = ['a1', 'latest', '~1', '.1', '1.0_1', '1.0-1_2', '1.0-1:2', '1.0é', '(devel)']
    const refused = ['', '1.0-', '1:', ':1', 'a:1', '0:-1', '-1', '1.0 2', '99999999999:1', '2147483648:1', '1\n']
    for (const text of [...warned, ...refused]) expect([text, isVersion(deb, text)]).toEqual([text, false])
    expect(isVersion(deb, '2147483647:1')).toBe(true)
  })
})

describeWith({ programs: ['dpkg'] }, 'deb beside dpkg', () => {
  const tables = ['debian-versions.txt', 'debian-versions-generated.txt.gz']
  const folder = sharedFolder
  const real = folder === null ? [] : tables.map((file) => join(folder, 'data', 'versions', file))
  const versions = versionsOf([...traps, ...real.flatMap(readComparisons)]).sort()

  const every = Math.max(1, Math.floor(versions.length / 150))
  const neighbors = versions.flatMap((a, at) =>
    at % every === 0 ? [`${a} < ${versions[at + 1] ?? '1'}`, `${a} < ${versions[(at * 7919) % versions.length]}`] : [],
  )

  it('answers as dpkg does, for every trap and for near and far neighbors', () => {
    const pairs = [...traps, ...parseComparisons(neighbors)].map(([a, , b]) => [a, b] as const)
    const ours = pairs.map(([a, b]) => `${a} ${sign(compareVersions(deb, a, b))} ${b}`)
    const isTrue = (a: string, op: string, b: string) =>
      spawnSync('dpkg', ['--compare-versions', a, op, b]).status === 0
    const theirs = pairs.map(([a, b]) => `${a} ${isTrue(a, 'lt', b) ? '<' : isTrue(a, 'eq', b) ? '=' : '>'} ${b}`)
    expect(ours).toEqual(theirs)
  })
})

const pieces = ['.', '-', '0', '1', '10', 'a', 'Z', '~', '~~', '+', ':', '1:', '-1', 'rc']

isTotalOrder(deb, ['1:2.38.1-5+deb12u3', '1.2.3-1~deb7u1', '5.2.15-2+b13', '0', '1.0~rc1-1ubuntu0.1~esm1'], pieces)

agreesWithTables(deb, { files: ['debian-versions.txt', 'debian-versions-generated.txt.gz'], pieces })
