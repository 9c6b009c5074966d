import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readWith } from '../../../test/support/advisory-sink.js'
import { describeWith } from '../../../test/support/needs.js'
import { parseSecdbYaml } from '../secdb-yaml.js'
import { alpineSecdb } from './alpine-secdb.js'
import { chainguard } from './chainguard.js'
import { isRefused, parseOsvRecord } from './osv.js'
import { wolfi } from './wolfi.js'

const fixes = (secfixes: object) => ({
  distroversion: 'v3.20',
  reponame: 'main',
  urlprefix: 'https://dl-cdn.alpinelinux.org/alpine',
  packages: [{ pkg: { name: 'xen', secfixes } }],
})
const idsOf = (line: string) =>
  readWith(alpineSecdb, [fixes({ '1-r0': [line] })]).advisories.map(({ id, aliases }) => [id, ...aliases].join(' '))

describe('a line of ids', () => {
  it.each([
    ['CVE-2019-14697', ['ALPINE-CVE-2019-14697']],
    ['CVE-2017-8904 XSA-214', ['ALPINE-CVE-2017-8904', 'ALPINE-XSA-214']],
    ['CVE-2024-1234 GHSA-aaaa-bbbb-cccc (only with TLS)', ['ALPINE-CVE-2024-1234 GHSA-aaaa-bbbb-cccc']],
    [
      'CVE-2024-1234 CVE-2024-1235 GHSA-aaaa-bbbb-cccc',
      ['ALPINE-CVE-2024-1234', 'ALPINE-CVE-2024-1235', 'ALPINE-GHSA-aaaa-bbbb-cccc'],
    ],
    ['CVE_2019-2426', ['ALPINE-CVE-2019-2426']],
    [' CVE-2017-8073.patch ', ['ALPINE-CVE-2017-8073']],
    ['ZBX-11023', ['ALPINE-ZBX-11023']],
    ['CVE-2019-1', []],
    ['nothing of the kind', []],
  ])('%j names %j', (line, ids) => expect(idsOf(line)).toEqual(ids))
})

describe('a secdb', () => {
  it('gives one advisory a vulnerability, with the packages that it was fixed in or that never had it', () => {
    const { packages, ...frame } = fixes({ '1-r0': ['CVE-2020-1111'], 0: ['CVE-2020-2222'] })
    const other = { pkg: { name: 'qemu', secfixes: { '2-r1': ['CVE-2020-1111'], '3-r0': 'none' } } }
    const { advisories, refused } = readWith(alpineSecdb, [
      { ...frame, packages: [...packages, other, { pkg: 7 }, null] },
    ])
    expect(advisories.map(({ id, part, upstream }) => [id, part, ...upstream])).toEqual([
      ['ALPINE-CVE-2020-2222', 'v3.20/main', 'CVE-2020-2222'],
      ['ALPINE-CVE-2020-1111', 'v3.20/main', 'CVE-2020-1111'],
    ])
    expect(advisories[0]?.affected).toMatchObject([
      { ecosystem: 'Alpine:v3.20', name: 'xen', status: 'not-affected', ranges: [], versions: [] },
    ])
    expect(advisories[1]?.affected.map(({ name, ranges }) => [name, ranges[0]?.events])).toEqual([
      [
        'xen',
        [
          { kind: 'introduced', version: '0' },
          { kind: 'fixed', version: '1-r0' },
        ],
      ],
      [
        'qemu',
        [
          { kind: 'introduced', version: '0' },
          { kind: 'fixed', version: '2-r1' },
        ],
      ],
    ])
    expect(refused).toEqual([
      "qemu: '3-r0' is no version with a list of ids",
      ...Array(2).fill('a package without a name or without secfixes'),
    ])
  })

  it('is told from those of others by where its packages lie', () => {
    const { distroversion: _, ...rolling } = fixes({ '1-r0': ['CVE-2020-1111'] })
    const ofWolfi = { ...rolling, reponame: 'os', urlprefix: 'https://packages.wolfi.dev' }
    const ofChainguard = { ...rolling, reponame: 'chainguard', urlprefix: 'https://packages.cgr.dev' }
    expect(readWith(wolfi, [ofWolfi]).advisories[0]?.affected[0]?.ecosystem).toBe('Wolfi')
    expect(readWith(chainguard, [ofChainguard]).advisories[0]?.affected[0]?.ecosystem).toBe('Chainguard')
    const all = [alpineSecdb, wolfi, chainguard]
    const claims = [fixes({}), ofWolfi, ofChainguard].map((one) => all.map((source) => source.recognises(one)))
    expect(claims).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ])
  })
})

describeWith({ shared: true }, 'secdb of Alpine', ({ shared }) => {
  const data = join(shared, 'data', 'vulns')
  const releases = ['v3.3-main', 'v3.4-main', 'v3.5-main', 'v3.7-main', 'v3.8-main', 'v3.10-main', 'v3.10-community']
  // Ids that the derived records spell or leave out otherwise.
  const isCommon = (id: string) => /^ALPINE-(?:CVE-\d+-\d+|XSA-\d+)$/.test(id)

  it.each(releases)('%s says what the OSV records say that others made of it', async (release) => {
    const secdb = await parseSecdbYaml(readFileSync(join(data, 'alpine-secdb', `${release}.yaml`), 'utf8'))
    const said = readWith(alpineSecdb, [secdb]).advisories.flatMap(({ id, affected }) =>
      affected.flatMap(({ name, ranges }) => ranges.map(({ events }) => `${id} ${name} ${events.at(-1)?.version}`)),
    )
    const lines = gunzipSync(readFileSync(join(data, 'osv', `alpine-${release}.jsonl.gz`)))
      .toString()
      .split('\n')
    const expected = lines
      .filter((line) => line !== '')
      .flatMap((line) => {
        const advisory = parseOsvRecord(JSON.parse(line))
        if (isRefused(advisory)) throw new Error(advisory.refused)
        return advisory.affected.flatMap(({ name, ranges }) =>
          ranges.map(({ events }) => `${advisory.id} ${name} ${events.at(-1)?.version}`),
        )
      })
    const common = (list: readonly string[]) =>
      [...new Set(list.filter((one) => isCommon(one.split(' ')[0] as string)))].sort()
    expect(common(expected).filter((one) => !said.includes(one))).toEqual([])
    expect(common(said).length - common(expected).length).toBeLessThan(common(expected).length / 50)
  })
})
