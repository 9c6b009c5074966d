import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import type { Rating } from '../core/advisory.js'
import { cvssScore, severityOf } from './severity.js'

const high: Rating = { system: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', by: 'nvd' }
const low: Rating = {
  system: 'CVSS_V4',
  value: 'CVSS:4.0/AV:P/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N',
  by: 'cna',
}

describe('severityOf', () => {
  it("takes the distribution's own word first, then CVSS, then other words", () => {
    expect(severityOf([high, word('unimportant', 'debian')])).toMatchObject({
      severity: 'negligible',
      source: 'debian',
    })
    expect(severityOf([word('not yet assigned', 'debian'), high])).toMatchObject({ severity: 'high', source: 'nvd' })
    expect(severityOf([word('MODERATE', 'github'), high])).toMatchObject({ severity: 'high', source: 'nvd' })
    expect(severityOf([word('MODERATE', 'github')])).toMatchObject({ severity: 'medium', source: 'github' })
    expect(severityOf([word('Important', 'redhat'), low])).toMatchObject({ severity: 'high', source: 'redhat' })
    expect(severityOf([])).toEqual({ severity: 'unknown', source: null, cvss: [] })
  })

  it('takes the newest version of CVSS', () => {
    const rated = severityOf([high, low, high])
    expect(rated).toMatchObject({ severity: 'low', source: 'cna' })
    expect(rated.cvss.map(({ version, score }) => [version, score])).toEqual([
      ['4.0', 1],
      ['3.1', 7.5],
    ])
  })
})

describe('cvssScore', () => {
  it.each(['', '7.5', 'CVSS:3.1/AV:N', 'CVSS:3.1/AV:Z/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', `AV:N${'/AC:L'.repeat(9999)}`])(
    'has none for %.40s',
    (vector) => {
      expect(cvssScore(vector, 'x')).toBeNull()
    },
  )

  it('reads 2.0', () => {
    // CVE-2002-0392, an example of the CVSS v2 guide, section 3.3.1.
    expect(cvssScore('AV:N/AC:L/Au:N/C:N/I:N/A:C', 'x')).toMatchObject({ version: '2.0', score: 7.8 })
  })
})

describeWith({ shared: true }, 'cvssScore on tables of scores', ({ shared }) => {
  it.each(['cvss-v31_score.list', 'cvss-v4_score.list'])('%s', (name) => {
    const lines = readFileSync(join(shared, 'data/versions', name), 'utf8')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
      .filter(([vector]) => vector !== '')
      // Two are of 3.x with temporal and environmental metrics, whose scores are no base scores.
      .filter(([vector = '']) => !/^CVSS:3.*\/(?:E|CR):/.test(vector))
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.map(([vector = '']) => [vector, cvssScore(vector, 'x')?.score])).toEqual(
      lines.map(([vector, score]) => [vector, Number(score)]),
    )
  })
})

function word(value: string, by: string): Rating {
  return { system: 'word', value, by }
}
