import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findingOf } from '../../test/support/findings.js'
import { Fault } from '../core/fault.js'
import { applyIgnores, parseIgnoreFile } from './ignore-file.js'

const openssl = 'pkg:deb/debian/openssl@3.0.11-1?arch=amd64'
const apply = (text: string, now = Date.UTC(2026, 10, 25)) =>
  applyIgnores(
    [
      findingOf('CVE-2026-1', openssl),
      findingOf('GHSA-aaaa-bbbb-cccc', 'pkg:npm/lodash@4.17.20', { aliases: ['CVE-2026-2'] }),
    ],
    parseIgnoreFile(text, 'ignore.txt'),
    { name: 'ignore.txt', now },
  )
const marks = (text: string, now?: number) => apply(text, now).findings.map(({ ignored }) => ignored)

describe('an ignore file', () => {
  it('is an id a line, with comments', () => {
    const { findings, ignored, warnings } = apply(
      '\ufeff# ours\r\n\r\nCVE-2026-1\r\n  cve-2026-2   # no such input\r\n',
    )
    expect(findings.map((one) => one.ignored)).toEqual([
      { reason: null, until: null },
      { reason: 'no such input', until: null },
    ])
    expect({ ignored, warnings }).toEqual({ ignored: 2, warnings: [] })
  })

  it.each([
    ['CVE-2026-1 openssl', true],
    ['CVE-2026-1 pkg:deb/debian/openssl we do not serve', true],
    ['CVE-2026-1 until:2026-12-31 we wait', true],
    ['CVE-2026-1 openssl until:2026-12-31 we wait # really', true],
    ['CVE-2026-1 curl', false],
    ['CVE-2026-1 pkg:deb/debian/openssl@2', false],
    ['CVE-2026-3', false],
  ])('%s ignores CVE-2026-1 in openssl: %s', (line, matches) => {
    expect(marks(line)[0] !== null).toBe(matches)
  })

  it('keeps the reason in the words of its writer', () => {
    expect(marks('CVE-2026-1 openssl until:2026-12-31 we wait # for 3.1')[0]).toEqual({
      reason: 'we wait for 3.1',
      until: '2026-12-31',
    })
  })

  it('ends with its day, and says so', () => {
    const line = 'CVE-2026-1 until:2026-11-25'
    expect(marks(line, Date.UTC(2026, 10, 25, 23, 59))[0]).not.toBeNull()
    const expired = apply(line, Date.UTC(2026, 10, 26))
    expect(expired.ignored).toBe(0)
    expect(expired.warnings).toEqual(['ignore.txt:1: CVE-2026-1 was ignored until 2026-11-25, and counts again'])
  })

  it('says which lines are about nothing', () => {
    expect(apply('CVE-2026-1\nCVE-2020-1\nCVE-2026-1 curl').warnings).toEqual([
      'ignore.txt: nothing is ignored by CVE-2020-1 (line 2), CVE-2026-1 (line 3)',
    ])
  })

  it.each([
    ['CVE-2026-1\nCVE-2026-1 not reachable here', /:2: a package or a reason/, /`CVE-2026-1 # not reachable here`/],
    ['CVE-2026-1 openssl we wait', /a package or a reason/, /behind a #/],
    ['CVE-2026-1 until:tomorrow', /'tomorrow' is no date/, /until:2026-12-31/],
    ['CVE-2026-1 until:2026-02-30', /is no date/, /until:2026-12-31/],
    ['CVE-2026-1 pkg:deb', /package URL cannot be read/, /pkg:deb\/debian\/openssl/],
    ['vulnerabilities:', /is no id/, /CVE-2024-3094/],
  ])('%j is refused with its line', (text, message, fix) => {
    expect(() => apply(text)).toThrow(message)
    expect(() => apply(text)).toThrow(expect.objectContaining({ fix: expect.stringMatching(fix) }))
  })

  it('throws nothing but faults', () => {
    const words = fc.constantFrom('CVE-2026-1', 'until:', 'until:2026-01-01', '#', 'pkg:npm/a', ' ', '\n', 'a')
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => {
        try {
          apply(parts.join(' '))
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
    )
  })
})
