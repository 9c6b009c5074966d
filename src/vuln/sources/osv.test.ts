import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../test/support/needs.js'
import type { Advisory } from '../../core/advisory.js'
import { limits } from '../../core/limits.js'
import { isRefused, parseOsvRecord } from './osv.js'

const package_ = { ecosystem: 'npm', name: 'left-pad' }
const range = { type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.2.3' }] }

describe('parseOsvRecord', () => {
  it('reads every kind of range and event, and skips commits', () => {
    const events = [{ introduced: '0' }, { fixed: '1' }, { introduced: '2' }, { last_affected: '3' }, { limit: '4' }]
    const git = { type: 'GIT', repo: 'https://example.org', events: [{ introduced: '0' }] }
    const { affected } = read({ affected: [{ package: package_, ranges: [git, { type: 'ECOSYSTEM', events }] }] })
    expect(affected[0]?.ranges).toEqual([
      {
        type: 'ECOSYSTEM',
        events: [
          { kind: 'introduced', version: '0' },
          { kind: 'fixed', version: '1' },
          { kind: 'introduced', version: '2' },
          { kind: 'last-affected', version: '3' },
          { kind: 'limit', version: '4' },
        ],
      },
    ])
    expect(read({ affected: [{ ranges: [git] }] }).affected).toEqual([])
  })

  it('keeps related apart from aliases and upstream', () => {
    const record = read({
      aliases: ['CVE-1-1', 'X-1', 'CVE-1-1', 7, 'two words'],
      upstream: ['CVE-2-2'],
      related: ['CVE-3-3'],
    })
    expect([record.aliases, record.upstream]).toEqual([['CVE-1-1'], ['CVE-2-2']])
    expect(JSON.stringify(record)).not.toContain('CVE-3-3')
    // AlmaLinux's errata name nowhere else what they fix: all 5,680 of its records (osv-database of 2026-08).
    expect(read({ id: 'ALSA-1:1', related: ['CVE-3-3', 'RHSA-1:1'] }).upstream).toEqual(['CVE-3-3'])
  })

  it('reads ratings of the record and of the package, as vectors and words', () => {
    const vector = 'CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H'
    const ghsa = read({
      id: 'GHSA-1',
      severity: [{ type: 'CVSS_V3', score: vector }],
      database_specific: { severity: 'MODERATE' },
      affected: [{ package: package_, versions: ['1'], severity: [{ type: 'CVSS_V4', score: 'CVSS:4.0/…' }] }],
    })
    expect(ghsa.ratings).toEqual([
      { system: 'CVSS_V3', value: vector, by: 'github' },
      { system: 'word', value: 'MODERATE', by: 'github' },
    ])
    expect(ghsa.affected[0]?.ratings).toEqual([{ system: 'CVSS_V4', value: 'CVSS:4.0/…', by: 'github' }])
    const ubuntu = read({ id: 'UBUNTU-CVE-1-1', severity: [{ type: 'Ubuntu', score: 'medium' }] })
    expect(ubuntu.ratings).toEqual([{ system: 'word', value: 'medium', by: 'ubuntu' }])
    const debian = read({
      id: 'DEBIAN-CVE-1-1',
      affected: [{ package: package_, versions: ['1'], ecosystem_specific: { urgency: 'not yet assigned' } }],
    })
    expect(debian.affected[0]?.ratings).toEqual([{ system: 'word', value: 'not yet assigned', by: 'debian' }])
    expect(read({ id: 'ALSA-1:1', summary: 'Important: x security update' }).ratings).toEqual([
      { system: 'word', value: 'Important', by: 'almalinux' },
    ])
  })

  it('reads the binaries of SUSE in each of their shapes', () => {
    const of = (ecosystem: string, binaries: unknown) =>
      read({ affected: [{ package: { ecosystem, name: 'x' }, versions: ['1'], ecosystem_specific: { binaries } }] })
        .affected[0]?.binaries
    expect(of('openSUSE:Leap 15.5', [{ 'libx-1': '1-2', x: '1-2' }, 'y'])).toEqual(['libx-1', 'x', 'y'])
    expect(of('SUSE:Linux Enterprise Server 15', [{ binary_name: 'x', binary_version: '1' }])).toEqual(['x'])
    // Ubuntu's and Debian's are what the source builds today; they say of no binary that it is not meant.
    expect(of('Ubuntu:22.04:LTS', [{ binary_name: 'x', binary_version: '1' }])).toEqual([])
  })

  it('takes fixed 0 for never affected', () => {
    const never = { type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '0' }] }
    const { affected } = read({ affected: [{ package: { ecosystem: 'Wolfi', name: 'x' }, ranges: [never] }] })
    expect(affected[0]).toMatchObject({ status: 'not-affected', ranges: [], versions: [] })
  })

  it('takes the zero time of Go for unknown, and a null schema for one', () => {
    const record = read({
      schema_version: null,
      modified: '0001-01-01T00:00:00Z',
      published: '2021-07-16T01:31:33.917972Z',
    })
    expect([record.modifiedAt, record.publishedAt, record.withdrawnAt]).toEqual([
      null,
      Date.UTC(2021, 6, 16, 1, 31, 33, 917),
      null,
    ])
  })

  it('prefers an advisory among the references, and takes web addresses only', () => {
    const references = [
      { type: 'WEB', url: 'https://example.org/web' },
      { type: 'ADVISORY', url: 'javascript:alert(1)' },
      { type: 'ADVISORY', url: 'https://example.org/advisory' },
    ]
    expect(read({ references }).url).toBe('https://example.org/advisory')
    expect(read({ references: references.slice(0, 2) }).url).toBe('https://example.org/web')
  })

  it('cuts summaries, and takes the first line of the details where there is none', () => {
    expect(read({ summary: 'x'.repeat(5000) }).summary).toHaveLength(300)
    expect(read({ details: '\nfirst\nsecond' }).summary).toBe('first')
  })

  it.each([
    ['no object', 7],
    ['no id', { id: '' }],
    ['an id of two lines', { id: 'a\nb' }],
    ['a number for a version', { affected: [{ package: package_, versions: [1] }] }],
    ['an unknown range', { affected: [{ package: package_, ranges: [{ ...range, type: 'NEW' }] }] }],
    ['an unknown event', { affected: [{ package: package_, ranges: [{ type: 'SEMVER', events: [{ at: '1' }] }] }] }],
    ['no beginning', { affected: [{ package: package_, ranges: [{ type: 'SEMVER', events: [{ fixed: '1' }] }] }] }],
    ['no name', { affected: [{ package: { ecosystem: 'npm' }, ranges: [range] }] }],
    ['no list', { affected: 'all' }],
    ['withdrawn some day', { withdrawn: 'soon' }],
    ['too many names', { aliases: Array.from({ length: limits.advisoryNames + 1 }, (_, at) => `X-${at}`) }],
    ['a long version', { affected: [{ package: package_, versions: ['1'.repeat(5000)] }] }],
  ])('refuses %s', (_, value) => {
    const result = parseOsvRecord(typeof value === 'object' ? { id: 'X-1', ...value } : value)
    expect(isRefused(result) && result.refused.length).toBeGreaterThan(0)
    expect(isRefused(result) && result.refused.length).toBeLessThanOrEqual(300)
  })

  it('never throws', () => {
    const words = ['id', 'affected', 'package', 'ranges', 'events', 'versions', 'severity', 'aliases', 'introduced']
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom(...words), tie('tree')),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        parseOsvRecord(value)
        parseOsvRecord({ id: 'X-1', affected: [value], severity: value, references: [value] })
      }),
    )
    const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    for (const id of [{ toString: 0 }, deep]) expect(parseOsvRecord({ id })).toHaveProperty('refused')
  })
})

describeWith({ shared: true }, 'parseOsvRecord on real databases', ({ shared }) => {
  it('reads every record', () => {
    const folder = join(shared, 'data/vulns/osv')
    const values = readdirSync(folder).flatMap((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .map((line): unknown => JSON.parse(line)),
    )
    const results = values.map((value) => parseOsvRecord(value))
    expect(results.filter(isRefused)).toEqual([])
    const advisories = results.flatMap((result) => (isRefused(result) ? [] : [result]))
    // 36: `withdrawn` in data/README.md, the sum over the files.
    expect(advisories.filter(({ withdrawnAt }) => withdrawnAt !== null)).toHaveLength(36)
  })
})

function read(record: Readonly<Record<string, unknown>>): Advisory {
  const result = parseOsvRecord({ id: 'X-1', ...record })
  if (isRefused(result)) throw new Error(result.refused)
  return result
}
