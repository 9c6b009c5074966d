import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { disagreements, parseComparisons, sign, versionsOf } from './comparisons.contract.js'
import { agreesWithTables, isTotalOrder } from './order.contract.js'
import { rpm } from './rpm.js'
import { compareVersions, isVersion } from './version-order.js'

const traps = parseComparisons([
  '1.0 = 0:1.0',
  '2.0-1 < 1:1.0-1',
  '9:1 < 10:1',
  '1.0~rc1 < 1.0',
  '1.0 < 1.0^git1',
  '1.0^git1 < 1.0.1',
  '1.0^ > 1.0',
  '1.0~rc1^git1 > 1.0~rc1',
  '1.0^git1~pre < 1.0^git1',
  '1.0a < 1.0.1',
  '1.0 < 1.0a',
  'a < 1',
  '1.0 = 1_0',
  '1.0. = 1.0',
  '1.05 = 1.5',
  '1.0-9.el8 < 1.0-10.el8',
  '1.0-1.el8_2 < 1.0-1.el8_10',
  '1.0-1.el9 < 1.0-1.1.el9',
  '1 < 1-1',
  '1-1 = 1-01',
  '5.14.0-362.8.1.el9_3 < 5.14.0-362.18.1.el9_3',
  '1.20210530193627 < 1.20210530193628',
])

describe('rpm', () => {
  // Expected: rpm-version(7), and rpm itself below.
  it('orders epochs, ~, ^, letters, numbers and releases as rpm does', () => {
    expect(disagreements(rpm, traps)).toEqual([])
  })

  it('puts a version without release before every release of it, as an order must', () => {
    expect(
      disagreements(rpm, parseComparisons(['1.0 < 1.0-0', '1.0 < 1.0-~1', '1.0-99 < 1.0.1', '1.0.1 > 1.0-1'])),
    ).toEqual([])
  })

  it('refuses what no RPM can be called', () => {
    const invalid = ['', ' ', '1 2', '1:', '-1', '1:-1', '(none)', '1.0/2', '1.0-1\n', '%{version}', '>=1.0']
    for (const text of invalid) expect([text, isVersion(rpm, text)]).toEqual([text, false])
  })
})

describeWith({ programs: ['rpm'] }, 'rpm beside rpm', () => {
  it('answers as rpm does, each trap with each', () => {
    const versions = versionsOf(traps)
    const pairs = versions.flatMap((a) => versions.map((b) => [a, b] as const))
    const lua = pairs.map(
      ([a, b]) => `local a,b=rpm.ver('${a}'),rpm.ver('${b}') r=r..(a<b and '<' or (a==b and '=' or '>'))`,
    )
    const ran = spawnSync('rpm', [
      '--eval',
      `%{lua: local r='' ${lua.map((each) => `do ${each} end`).join(' ')} print(r)}`,
    ])
    expect(ran.stdout.toString().trim()).toBe(pairs.map(([a, b]) => sign(compareVersions(rpm, a, b))).join(''))
  })
})

const pieces = ['.', '-', '_', '0', '1', '10', 'a', 'Z', '~', '^', '+', ':', '1:', '-1', 'α']

isTotalOrder(rpm, ['1:2.3-4.el9', '5.5p10', '1.0~rc1-1', '1.0^20160101^git1-2', '10xyz'], pieces)

agreesWithTables(rpm, { files: ['redhat-versions.txt', 'rpmvercmp.at'], pieces })
