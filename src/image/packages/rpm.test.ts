import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { bdbOf, type HeaderTags, ndbOf, rpmHeader } from '../../../test/support/rpm-databases.js'
import { rpm } from './rpm.js'

const path = 'var/lib/rpm/Packages.db'

/** rpm's tags: 1000 name, 1001 version, 1002 release, 1003 epoch, 1022 architecture, 1044 source rpm, 5096 module … */
function tags(name: string, more: HeaderTags = {}): HeaderTags {
  return { 1000: name, 1001: '2.0', 1002: '3.el9', 1014: 'GPLv2+', 1022: 'x86_64', ...more }
}

function read(...headers: readonly Buffer[]) {
  return readFiles(rpm, { [path]: ndbOf(headers) })
}

describe('rpm', () => {
  it('reads name, version, architecture, source, license and module', () => {
    const label = 'nodejs:18:8080020230718154319:63b34585'
    const { packages, warnings } = read(
      rpmHeader(
        tags('npm', { 1003: 1, 1044: 'node-js-18.1-4.el9.src.rpm', 5096: label, 1005: 'text', 1023: 'script' }),
      ),
    )
    expect(warnings).toEqual([])
    expect(packages).toEqual([
      {
        type: 'rpm',
        name: 'npm',
        version: '1:2.0-3.el9',
        architecture: 'x86_64',
        source: { name: 'node-js', version: '18.1-4.el9' },
        licenses: ['GPL-2.0-or-later'],
        evidence: path,
        module: 'nodejs:18',
      },
    ])
  })

  it('writes no epoch of 0, skips keys, and takes the last of two entries', () => {
    const { packages, warnings } = read(
      rpmHeader(tags('zero', { 1003: 0 })),
      rpmHeader({ 1000: 'gpg-pubkey', 1001: 'fd431d51', 1002: '4ae0493b' }),
      rpmHeader(tags('twice'), { 1002: '4.el9' }),
      rpmHeader({ 1000: 'bare', 1001: '1', 1002: '1', 1044: '(none)', 5096: '' }),
    )
    expect(warnings).toEqual([])
    expect(packages.map(({ name, version }) => [name, version])).toEqual([
      ['zero', '2.0-3.el9'],
      ['twice', '2.0-4.el9'],
      ['bare', '1-1'],
    ])
    expect(packages[2]).toMatchObject({ architecture: null, source: null, licenses: [] })
    expect(packages[2]).not.toHaveProperty('module')
  })

  it('says which header cannot be read, and reads the rest', () => {
    const { packages, warnings } = read(
      Buffer.from('0000ffffffff', 'hex'),
      rpmHeader({ 1000: 'nameless' }),
      rpmHeader(tags('a')),
    )
    expect(packages.map(({ name }) => name)).toEqual(['a'])
    expect(warnings).toEqual([
      { path, message: 'the header of package number 1 is damaged, and the package is left out' },
      { path, message: 'the package nameless has no readable name, version and release, and is left out' },
    ])
  })

  it('finds owners, through a merged usr as well', () => {
    const files = { 1116: [0, 0, 1, 2], 1117: ['bash', 'sh', 'x.jar', 'bash.1'] }
    const header = rpmHeader(tags('bash', { ...files, 1118: ['/bin/', '/usr/share/java/', '/usr/share/man/man1/'] }))
    const { evidence } = read(header, rpmHeader(tags('broken', { 1117: ['a'], 1116: [0, 0] })))
    const asked = new Set(['usr/bin/sh', 'bin/bash', 'usr/share/java/x.jar', 'usr/share/man/man1/bash.1', 'a'])
    expect([...(rpm.owners?.(evidence, asked) ?? [])]).toEqual([
      ['bin/bash', 'bash'],
      ['usr/bin/sh', 'bash'],
      ['usr/share/java/x.jar', 'bash'],
    ])
  })

  it('counts a database that is seen in two folders once', () => {
    const database = ndbOf([rpmHeader(tags('a'))])
    const { packages } = readFiles(rpm, { [path]: database, 'usr/lib/sysimage/rpm/Packages.db': database })
    expect(packages.map(({ evidence }) => evidence)).toEqual(['usr/lib/sysimage/rpm/Packages.db'])
  })

  it('reads one database of a folder as rpm does, and names the other', () => {
    const old = bdbOf([rpmHeader(tags('old'))], 'little')
    const both = readFiles(rpm, { 'var/lib/rpm/Packages': old, [path]: ndbOf([rpmHeader(tags('new'))]) })
    expect(both.packages.map(({ name }) => name)).toEqual(['new'])
    expect(both.warnings.map((warning) => warning.path)).toEqual(['var/lib/rpm/Packages'])
    const emptied = readFiles(rpm, { 'var/lib/rpm/Packages': old, [path]: ndbOf([]) })
    expect(emptied.packages.map(({ name }) => name)).toEqual(['old'])
  })

  it('knows an empty file from one that is no database', () => {
    expect(readFiles(rpm, { [path]: '' })).toMatchObject({ packages: [], warnings: [] })
    const { packages, warnings } = readFiles(rpm, { 'usr/share/rpm/Packages': 'x'.repeat(5000) })
    expect(packages).toEqual([])
    expect(warnings[0]?.message).toBe('it is no database of rpm, and packages that it may hold are not read')
  })

  it('reads the list that images without rpm have', () => {
    // The columns of the toolkit of Azure Linux; the second line is too short.
    const lines = [
      'busybox\t1.35.0-13.cm2\t1700000000\t1690000000\tMicrosoft Corporation\t(none)\t1187720\tx86_64\t0\tbusybox-1.35.0-13.cm2.src.rpm',
      'broken\t1-1',
      'ca-certificates-base\t2.0.0-1.cm2\t1700000000\t1690000000\tMicrosoft Corporation\t1\t0\tnoarch\t1\tca-certificates-2.0.0-1.cm2.src.rpm',
      '',
    ]
    const manifest = 'var/lib/rpmmanifest/container-manifest-2'
    const { packages, warnings } = readFiles(rpm, { [manifest]: lines.join('\n') })
    expect(packages.map(({ name, version, architecture, source }) => [name, version, architecture, source])).toEqual([
      ['busybox', '1.35.0-13.cm2', 'x86_64', { name: 'busybox', version: '1.35.0-13.cm2' }],
      ['ca-certificates-base', '1:2.0.0-1.cm2', 'noarch', { name: 'ca-certificates', version: '2.0.0-1.cm2' }],
    ])
    expect(warnings).toEqual([{ path: manifest, message: 'line 2 has not the columns of a package, and is left out' }])
  })
})

interface Expected {
  readonly name: string
  readonly epoch: string | null
  readonly version: string
  readonly release: string
  readonly arch: string
  readonly sourceRpm: string
}

describeWith({ shared: true }, 'rpm: expected lists', ({ shared }) => {
  it.each([
    'cbl-mariner-2.0/rpmdb.sqlite.gz',
    'sle15-bci/Packages.db.gz',
    'sle15-bci-older/Packages.db.gz',
    'libuuid/Packages',
  ])('%s', (file) => {
    const [folder = '', name = ''] = file.split('/')
    const bytes = readFileSync(join(shared, 'data/pkgdb/rpm', file))
    const { packages, warnings } = readFiles(rpm, {
      [`var/lib/rpm/${name.replace('.gz', '')}`]: name.endsWith('.gz') ? gunzip(bytes) : bytes,
    })
    expect(warnings).toEqual([])
    const seen = packages.map(({ name, version, architecture, source }) => {
      return `${name} ${version} ${architecture} ${source?.name}-${source?.version}.src.rpm`
    })
    const list: Expected[] = JSON.parse(readFileSync(join(shared, 'data/pkgdb/rpm', folder, 'expected.json'), 'utf8'))
    const expected = list.map(({ name, epoch, version, release, arch, sourceRpm }) => {
      return `${name} ${epoch === null ? '' : `${epoch}:`}${version}-${release} ${arch} ${sourceRpm}`
    })
    expect(seen.sort()).toEqual(expected.sort())
  })
})
