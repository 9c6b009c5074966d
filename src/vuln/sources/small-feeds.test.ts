import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readWith } from '../../../test/support/advisory-sink.js'
import { describeWith } from '../../../test/support/needs.js'
import { endoflife } from './endoflife.js'
import { epss } from './epss.js'
import { kev } from './kev.js'
import { advisorySources } from './list.js'
import { nodejsWg } from './nodejs-wg.js'
import { parseNpmRange } from './npm-range.js'
import { osv } from './osv-export.js'

describe('kev', () => {
  it('refuses entries one by one', () => {
    const entry = {
      cveID: 'CVE-2025-48384',
      dateAdded: '2025-08-25',
      dueDate: 'soon',
      knownRansomwareCampaignUse: 'Known',
    }
    const catalog = {
      catalogVersion: '1',
      vulnerabilities: [entry, null, { ...entry, dateAdded: 7 }, { ...entry, cveID: 'x' }],
    }
    expect(readWith(kev, [catalog])).toMatchObject({
      kev: [{ cve: 'CVE-2025-48384', addedOn: '2025-08-25', dueOn: null, usedByRansomware: true }],
      refused: { length: 3 },
    })
  })
})

describe('epss', () => {
  it('reads lines, and refuses those that are none', () => {
    const lines = [
      '#model_version:v2025.03.14,score_date:2026-01-01',
      'cve,epss,percentile',
      'CVE-2020-1234,0.00043,1.0\r',
      'CVE-2020-1234,2,1',
      'x',
      '',
    ]
    expect(readWith(epss, lines)).toMatchObject({
      epss: { 'CVE-2020-1234': { score: 0.00043, percentile: 1 } },
      refused: { length: 2 },
    })
  })
})

describe('endoflife', () => {
  it('reads the files of release-data, by their names, and answers of the API', () => {
    const data = {
      releases: { '3.20': { name: '3.20', eol: '2026-04-01' }, a: { name: 'a', eol: true }, b: 7 },
      versions: {},
    }
    expect(readWith(endoflife, [data], 'alpine-linux.json')).toMatchObject({
      releases: [{ product: 'alpine', release: '3.20', endsOn: '2026-04-01', extendedEndsOn: null }],
      refused: ['alpine a: it has ended, or ends, on no known day', 'a release without a name'],
    })
    const release = { name: '22.04', isEol: false, eolFrom: '2027-04-01', isEoes: false, eoesFrom: '2032-04-09' }
    const answer = {
      schema_version: '1.2.0',
      result: { name: 'ubuntu', releases: [release, { name: '4.10', isEol: true, eolFrom: null }] },
    }
    expect(readWith(endoflife, [answer])).toMatchObject({
      releases: [{ product: 'ubuntu', release: '22.04', endsOn: '2027-04-01', extendedEndsOn: '2032-04-09' }],
      refused: { length: 1 },
    })
    expect(readWith(endoflife, [data], '../x y.json').refused).toHaveLength(1)
  })
})

describe('osv', () => {
  const affected = (ecosystem: string) => ({ package: { ecosystem, name: 'a' }, versions: ['1.0'] })
  it('splits an advisory by ecosystem, and leaves out what is no vulnerability', () => {
    const record = {
      id: 'GHSA-1',
      modified: '2026-01-01T00:00:00Z',
      affected: [affected('npm'), affected('PyPI'), affected('npm')],
    }
    const { advisories } = readWith(osv, [record])
    expect(advisories.map(({ part, id, affected }) => [part, id, affected.length])).toEqual([
      ['npm', 'GHSA-1', 2],
      ['PyPI', 'GHSA-1', 1],
    ])
    const errata = ['ALBA-2022:8256', 'ALEA-2022:1', 'ALSA-2022:1'].map((id) => ({
      id,
      affected: [affected('AlmaLinux:9')],
    }))
    expect(readWith(osv, errata)).toMatchObject({
      advisories: [{ id: 'ALSA-2022:1', part: 'AlmaLinux' }],
      refused: { length: 2 },
    })
  })
})

describe('parseNpmRange', () => {
  it.each([
    ['<=1.5.1 || >=2.0.0 <2.3.1', ['introduced 0, last-affected 1.5.1', 'introduced 2.0.0, fixed 2.3.1']],
    ['*', ['introduced 0']],
    ['', ['introduced 0']],
    ['1.2.3', ['introduced 1.2.3, last-affected 1.2.3']],
    ['=v1.2.3-rc.1', ['introduced 1.2.3-rc.1, last-affected 1.2.3-rc.1']],
    ['< 1.2 ', ['introduced 0, fixed 1.2.0']],
    ['<= 1.2', ['introduced 0, fixed 1.3.0']],
    ['1.x || 2.1.x', ['introduced 1.0.0, fixed 2.0.0', 'introduced 2.1.0, fixed 2.2.0']],
    ['~1.2.3', ['introduced 1.2.3, fixed 1.3.0']],
    ['~1', ['introduced 1.0.0, fixed 2.0.0']],
    ['^0.0.3', ['introduced 0.0.3, fixed 0.0.4']],
    ['^0.2.3', ['introduced 0.2.3, fixed 0.3.0']],
    ['^1.2.3', ['introduced 1.2.3, fixed 2.0.0']],
    ['>1.2.3 <=2.0.0', ['introduced 1.2.4-0, last-affected 2.0.0']],
    ['>1.2', ['introduced 1.3.0']],
    ['>1.0.0-beta', ['introduced 1.0.0-beta.0']],
    ['1.2.3 - 2.3.4', ['introduced 1.2.3, last-affected 2.3.4']],
    ['nonsense', null],
    ['>=1.0.0 <a', null],
  ])('%j', (text, expected) => {
    const ranges = parseNpmRange(text)
    expect(
      ranges?.map(({ events }) => events.map(({ kind, version }) => `${kind} ${version}`).join(', ')) ?? null,
    ).toEqual(expected)
  })
})

it('no source throws or claims what it cannot read, whatever the value', () => {
  const keys = fc.constantFrom(
    'id',
    'affected',
    'modified',
    'module_name',
    'vulnerable_versions',
    'packages',
    'reponame',
    'urlprefix',
    'distroversion',
    'releases',
    'versions',
    'result',
    'catalogVersion',
    'vulnerabilities',
    'bash',
    'CVE-2026-11111',
    '__proto__',
    'toString',
  )
  const tree = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(
        null,
        0,
        -1,
        true,
        '',
        'v3.20',
        'https://packages.wolfi.dev',
        '2026-01-01',
        'x'.repeat(300),
        { toString: 0 },
        JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 6 }),
    ),
  }))
  fc.assert(
    fc.property(tree.value, (value) => {
      for (const source of advisorySources) if (source.recognises(value)) readWith(source, [value])
    }),
    { numRuns: 2_000 },
  )
})

describeWith({ shared: true }, 'the feeds themselves', ({ shared }) => {
  const read = (name: string) => gunzipSync(readFileSync(join(shared, 'data', 'vulns', name))).toString()
  it('KEV is read whole', () => {
    const catalog = JSON.parse(read('kev.json.gz')) as { count: number }
    const { kev: entries, refused } = readWith(kev, [catalog])
    expect([entries.length, refused]).toEqual([catalog.count, []])
  })
  it('advisories of the Node security working group are read whole', () => {
    const records = read('nodejs-npm.jsonl.gz')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as object)
    const { advisories, refused } = readWith(nodejsWg, records)
    expect([advisories.length, refused]).toEqual([records.length, []])
  })
  it('releases of distributions are read whole', () => {
    const file = (name: string) =>
      JSON.parse(readFileSync(join(shared, 'data', 'eol', name), 'utf8')) as { releases: object }
    for (const name of [
      'debian.json',
      'alpine-linux.json',
      'rhel.json',
      'sles.json',
      'rocky-linux.json',
      'python.json',
    ]) {
      const { releases, refused } = readWith(endoflife, [file(name)], name)
      expect([name, releases.length, refused]).toEqual([name, Object.keys(file(name).releases).length, []])
    }
  })
})
