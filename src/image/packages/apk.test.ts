import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { filesOfTar } from '../../../test/support/tar-files.js'
import { apk } from './apk.js'

const path = 'lib/apk/db/installed'

const musl = `C:Q1ZZqflKEvStJz4SXV0SDMi3wOtM0=
P:musl
V:1.2.3-r0
A:x86_64
S:383304
I:622592
T:the musl c library (libc) implementation
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1ZZqflKEvStJz4SXV0SDMi3wOtM0=
R:libc.musl-x86_64.so.1
F:usr/share/man/man1
R:musl.1
F:usr
F:usr/bin
R:ldd
`
const virtual = `P:build-deps
V:20240101.120000
A:noarch
S:0
I:0
T:virtual meta package
D:gcc make
`

describe('apk', () => {
  it('reads names, versions, architectures, origins and licenses', () => {
    const { packages, warnings } = readFiles(apk, { [path]: `${musl}\n` })
    expect(warnings).toEqual([])
    expect(packages).toEqual([
      {
        type: 'apk',
        name: 'musl',
        version: '1.2.3-r0',
        architecture: 'x86_64',
        source: { name: 'musl', version: '1.2.3-r0' },
        licenses: ['MIT'],
        evidence: path,
        installedBytes: 622592,
      },
    ])
  })

  it('marks virtual packages, and no real one without files', () => {
    const dotted = virtual.replace('build-deps', '.build-deps').replace('S:0', 'S:12')
    const meta = virtual.replace('build-deps', 'build-base').replace('S:0', 'S:1246')
    const { packages } = readFiles(apk, { [path]: [virtual, dotted, meta].join('\n') })
    expect(packages.map((found) => [found.name, found.isVirtual])).toEqual([
      ['build-deps', true],
      ['.build-deps', true],
      ['build-base', undefined],
    ])
  })

  it('counts a database that is seen at two paths once, and two databases both', () => {
    const other = musl.replace('P:musl', 'P:other')
    const twice = readFiles(apk, { [path]: musl, [`usr/${path}`]: musl })
    expect(twice.packages.map(({ evidence }) => evidence)).toEqual([path])
    const both = readFiles(apk, { [path]: musl, [`usr/${path}`]: `${musl}\n${other}` })
    expect(both.packages.map(({ name, evidence }) => [name, evidence])).toEqual([
      ['musl', path],
      ['other', `usr/${path}`],
    ])
    expect(readFiles(apk, { 'srv/lib/apk/db/installed': musl }).packages).toEqual([])
  })

  it('gives no packages for an empty database', () => {
    expect(readFiles(apk, { [path]: '' })).toMatchObject({ packages: [], warnings: [] })
  })

  it('says which line cannot be read, and reads the rest', () => {
    const text = [musl, 'P:nameless\nA:x86_64\n', 'C:Q1\n', 'P:a\nV:1\nP:b\nV:2\nnonsense\n', musl].join('\n')
    const { packages, warnings } = readFiles(apk, { [path]: text })
    expect(packages.map(({ name }) => name)).toEqual(['musl', 'a', 'b'])
    expect(warnings).toEqual([
      { path, message: 'the record at line 21 has no readable version of nameless, and is left out' },
      { path, message: 'the record at line 24 has no readable package name, and is left out' },
      { path, message: 'the record at line 26 has a second name, and is read as two packages' },
      { path, message: 'line 30 is no field, and is not read' },
    ])
  })

  it('stops at more records than any distribution has, and says so', () => {
    const { packages, warnings } = readFiles(apk, { [path]: 'P:a\nV:1\n\n'.repeat(100_001) })
    expect(packages).toHaveLength(1)
    expect(warnings).toEqual([{ path, message: 'it has more than 100000 records, and the rest is left out' }])
    const nonsense = readFiles(apk, { [path]: 'C:x\n\n'.repeat(1_000) })
    expect(nonsense.warnings).toHaveLength(51)
  })

  it('finds owners, through a merged usr as well', () => {
    const { evidence } = readFiles(apk, { [path]: musl })
    const asked = ['lib/ld-musl-x86_64.so.1', 'usr/lib/libc.musl-x86_64.so.1', 'usr/bin/ldd', 'usr/bin/musl', 'ldd']
    expect([...(apk.owners?.(evidence, new Set(asked)) ?? [])]).toEqual([
      ['lib/ld-musl-x86_64.so.1', 'musl'],
      ['usr/lib/libc.musl-x86_64.so.1', 'musl'],
      ['usr/bin/ldd', 'musl'],
    ])
  })

  it('never throws, and keeps no more than it was given', () => {
    const lines = fc.constantFrom(
      'P:a',
      'V:1',
      'A:',
      'F:',
      'R:',
      'F:usr',
      'R:x',
      '',
      'S:0',
      'I:0',
      '#7',
      '!x',
      'P',
      ':',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(lines, fc.string())), (parts) => {
        const { packages, evidence } = readFiles(apk, { [path]: parts.join('\n') })
        for (const { name, version } of packages) expect(`${name}${version}`).toMatch(/^\S+$/)
        apk.owners?.(evidence, new Set(['x', 'usr/x']))
      }),
    )
  })
})

interface Expected {
  readonly name: string
  readonly version: string
  readonly arch: string | null
  readonly origin: string
}

describeWith({ shared: true }, 'apk: expected lists', ({ shared }) => {
  const folder = join(shared, 'data')
  const images = () => JSON.parse(readFileSync(join(folder, 'expected/images.json'), 'utf8'))
  const read = (file: string): Buffer => readFileSync(join(folder, file))

  it.each(['alpine-scalibr', 'syft-multiple', 'wolfi-base'])('%s', (name) => {
    expectList(read(`pkgdb/apk/${name}.installed`), JSON.parse(read(`pkgdb/apk/${name}.expected.json`).toString()))
  })

  it.each(['3.10.3-x86_64', '3.10.9-x86_64', '3.17.10-x86_64', '3.20.3-aarch64', '3.20.3-x86_64'])(
    'minirootfs %s',
    (version) => {
      const file = `rootfs/alpine-minirootfs-${version}.tar.gz`
      const installed = filesOfTar(gunzip(read(file)))[path] as Buffer
      expectList(installed, images()[file][0].packageList.apk)
    },
  )
})

function expectList(installed: Uint8Array, expected: readonly Expected[]): void {
  const { packages, warnings } = readFiles(apk, { [path]: installed })
  expect(warnings).toEqual([])
  const seen = packages.map(({ name, version, architecture, source }) => {
    return { name, version, arch: architecture, origin: source?.name }
  })
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  expect(seen.sort(byName)).toEqual(
    expected.map(({ name, version, arch, origin }) => ({ name, version, arch, origin })).sort(byName),
  )
}
