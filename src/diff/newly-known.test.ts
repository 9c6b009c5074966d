import { describe, expect, it } from 'vitest'
import { findingOf } from '../../test/support/findings.js'
import type { Finding } from '../core/finding.js'
import { newlyKnown } from './newly-known.js'

const openssl = 'pkg:deb/debian/openssl@3'
const one = (id: string, parts: Partial<Finding> = {}) => findingOf(id, openssl, parts)
const known = (before: readonly Finding[], after: readonly Finding[]) => {
  const judgement = (findings: readonly Finding[], id: string) => {
    return { snapshot: { id, builtAt: 0 }, findings, complete: true, warnings: [] }
  }
  return newlyKnown(judgement(before, 'a'), judgement(after, 'b'))
}

describe('newlyKnown', () => {
  it('is empty for the same, also under another name', () => {
    expect(known([one('CVE-1')], [one('DSA-1', { aliases: ['CVE-1'] })])).toEqual({
      appeared: [],
      gone: [],
      changed: [],
    })
  })

  it('tells what appeared, what is gone, and what is said differently', () => {
    const kev = { addedOn: '2026-01-01', dueOn: null, usedByRansomware: false }
    const worse = one('CVE-2', { severity: 'critical', fixedVersion: '4', kev, status: 'unknown' })
    const result = known(
      [one('CVE-1'), one('CVE-2'), one('CVE-4', { status: 'not_affected' })],
      [worse, one('CVE-3'), one('CVE-4')],
    )
    expect(result.appeared.map(({ id }) => id)).toEqual(['CVE-3', 'CVE-4'])
    expect(result.gone.map(({ id }) => id)).toEqual(['CVE-1'])
    expect(result.changed).toEqual([{ from: one('CVE-2'), to: worse, what: ['severity', 'status', 'fix', 'kev'] }])
  })

  it('keeps the places of a package apart', () => {
    const at = (evidence: string) => one('CVE-1', { evidence })
    expect(known([at('a')], [at('a'), at('b')]).appeared).toEqual([at('b')])
  })
})
