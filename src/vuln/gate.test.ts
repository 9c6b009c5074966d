import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findingOf } from '../../test/support/findings.js'
import { severities } from '../core/advisory.js'
import { Fault } from '../core/fault.js'
import type { Finding } from '../core/finding.js'
import { gateDiff, gateScan, parseGate } from './gate.js'

const one = (id: string, parts: Partial<Finding> = {}) => findingOf(id, 'pkg:deb/debian/a@1', parts)
const idsOf = (text: string, findings: readonly Finding[]) =>
  gateScan(parseGate(text, 'scan'), findings).broken.map(({ rule, findings }) => [rule, findings.map(({ id }) => id)])

describe('parseGate', () => {
  it('reads every form, and the default of each command', () => {
    expect(parseGate(' High , fixable:KEV,any:epss>.5,epss>0', 'scan')).toEqual([
      { text: 'high', scope: 'any', measure: { kind: 'severity', atLeast: 'high' } },
      { text: 'fixable:kev', scope: 'fixable', measure: { kind: 'kev' } },
      { text: 'any:epss>.5', scope: 'any', measure: { kind: 'epss', above: 0.5 } },
      { text: 'epss>0', scope: 'any', measure: { kind: 'epss', above: 0 } },
    ])
    expect(parseGate('low,introduced:medium,any:critical', 'diff').map(({ scope }) => scope)).toEqual([
      'introduced',
      'introduced',
      'any',
    ])
  })

  it.each([
    ['', /it is empty/, /--fail-on fixable:high,kev/],
    ['high,', /it is empty/, /./],
    ['severe', /no such severity/, /low, medium/],
    ['negligible', /rules begin at low/, /low, medium/],
    ['new:high', /no such scope/, /introduced:\|any:/],
    ['epss', /needs `>` and a number/, /epss>0\.5/],
    ['epss>x', /needs `>` and a number/, /epss>0\.5/],
    ['epss>50', /is a probability/, /`epss>0\.5`/],
    ['introduced:high', /a scan has one image/, /tidemark diff FROM TO/],
  ])('%s is refused with what to write', (text, message, fix) => {
    const refused = () => parseGate(text, 'scan')
    expect(refused).toThrow(message)
    expect(refused).toThrow(expect.objectContaining({ code: 'invalid-argument', fix: expect.stringMatching(fix) }))
  })

  it('throws nothing but faults', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseGate(text, 'diff')
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
    )
  })
})

describe('a gate', () => {
  it('takes a severity for that or worse, and tells of what nobody rated', () => {
    const all = severities.map((severity) => one(severity, { severity }))
    expect(idsOf('high', all)).toEqual([['high', ['critical', 'high']]])
    expect(idsOf('low', all)).toEqual([['low', ['critical', 'high', 'medium', 'low']]])
    expect(gateScan(parseGate('critical', 'scan'), all).unrated.map(({ id }) => id)).toEqual(['unknown'])
    expect(gateScan(parseGate('kev', 'scan'), all).unrated).toEqual([])
  })

  it('counts what nobody says is harmless', () => {
    const statuses = ['affected', 'not_affected', 'fixed', 'under_investigation', 'unknown'] as const
    const all = [
      ...statuses.map((status) => one(status, { status })),
      one('ignored', { ignored: { reason: null, until: null } }),
    ]
    expect(idsOf('high', all)).toEqual([['high', ['affected', 'under_investigation', 'unknown']]])
  })

  it('measures by catalog, by probability and by whether there is a fix', () => {
    const all = [
      one('plain'),
      one('known', { kev: { addedOn: '2026-01-01', dueOn: null, usedByRansomware: false }, fixedVersion: '2' }),
      one('likely', { epss: { score: 0.5, percentile: 0.9 }, severity: 'low' }),
    ]
    expect(idsOf('kev', all)).toEqual([['kev', ['known']]])
    expect(idsOf('epss>0.49', all)).toEqual([['epss>0.49', ['likely']]])
    expect(idsOf('epss>0.5', all)).toEqual([])
    expect(idsOf('fixable:low,critical', all)).toEqual([['fixable:low', ['known']]])
  })

  it('of a diff is about what is new unless it says otherwise', () => {
    const cause = { kind: 'other', reason: '' } as const
    const diff = { introduced: [{ ...one('new'), cause }], unchanged: [one('old', { fixedVersion: '2' })] }
    const broken = (text: string) =>
      gateDiff(parseGate(text, 'diff'), diff).broken.map(({ findings }) => findings.map(({ id }) => id))
    expect(broken('high')).toEqual([['new']])
    expect(broken('any:high')).toEqual([['new', 'old']])
    expect(broken('fixable:high')).toEqual([['old']])
    expect(gateDiff(parseGate('high', 'diff'), { introduced: [], unchanged: diff.unchanged }).broken).toEqual([])
  })
})
