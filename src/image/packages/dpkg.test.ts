import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { filesOfTar } from '../../../test/support/tar-files.js'
import { dpkg } from './dpkg.js'

const status = 'var/lib/dpkg/status'

function record(name: string, fields: Readonly<Record<string, string>> = {}): string {
  const all = { Status: 'install ok installed', Architecture: 'amd64', Version: '1-1', ...fields }
  const lines = Object.entries(all).map(([field, value]) => `${field}: ${value}\n`)
  return `Package: ${name}\n${lines.join('')}Description: a package\n with: a colon\n .\n`
}

describe('dpkg', () => {
  it('reads names, versions, architectures and source packages', () => {
    const bsdutils = record('bsdutils', { Source: 'util-linux (2.38.1-5)', Version: '1:2.38.1-5+b1' })
    const { packages, warnings } = readFiles(dpkg, { [status]: `${bsdutils}\n${record('zlib1g', { Source: 'zlib' })}` })
    expect(warnings).toEqual([])
    expect(packages).toEqual([
      {
        type: 'deb',
        name: 'bsdutils',
        version: '1:2.38.1-5+b1',
        architecture: 'amd64',
        source: { name: 'util-linux', version: '2.38.1-5' },
        licenses: [],
        evidence: status,
      },
      expect.objectContaining({ name: 'zlib1g', source: { name: 'zlib', version: '1-1' } }),
    ])
  })

  it('reads sizes, which are counted in KiB', () => {
    const sized = record('a', { 'Installed-Size': '3' })
    const { packages } = readFiles(dpkg, { [status]: `${sized}\n${record('b', { 'Installed-Size': 'x' })}` })
    expect(packages.map(({ installedBytes }) => installedBytes)).toEqual([3072, undefined])
  })

  // dpkg(1), "Package states".
  it.each([
    ['install ok installed', true],
    ['hold ok installed', true],
    ['deinstall ok installed', true],
    ['install ok unpacked', true],
    ['install ok half-configured', true],
    ['install ok triggers-awaited', true],
    ['install ok triggers-pending', true],
    ['install reinstreq half-installed', true],
    ['deinstall ok config-files', false],
    ['purge ok not-installed', false],
  ])('of "%s" says whether files are there: %s', (text, isThere) => {
    const { packages, warnings } = readFiles(dpkg, { [status]: record('a', { Status: text }) })
    expect(packages.length > 0).toBe(isThere)
    expect(warnings.length).toBe(text.endsWith('half-installed') ? 1 : 0)
  })

  it('lists a package with a status it does not know, and says so', () => {
    const { packages, warnings } = readFiles(dpkg, { [status]: record('a', { Status: 'install' }) })
    expect(packages).toHaveLength(1)
    expect(warnings[0]?.message).toBe('the package at line 1 has no known status, and is listed as installed')
  })

  it('lists a package of two architectures twice, and one of two files once', () => {
    const records = [record('libc6'), record('libc6', { Architecture: 'i386' })].join('\n')
    const { packages } = readFiles(dpkg, { [status]: records, 'var/lib/dpkg/status.d/libc6': record('libc6') })
    expect(packages.map(({ architecture, evidence }) => [architecture, evidence])).toEqual([
      ['amd64', status],
      ['i386', status],
    ])
  })

  it('counts distroless packages, which have no status, and no list of sums', () => {
    const tzdata = 'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\n'
    const { packages, warnings } = readFiles(dpkg, {
      'var/lib/dpkg/status.d/tzdata': tzdata,
      'var/lib/dpkg/status.d/tzdata.md5sums': '3dd6192d306f582dee7687da3d8748ab  usr/share/doc/tzdata/copyright\n',
    })
    expect(warnings).toEqual([])
    expect(packages.map(({ name, evidence }) => [name, evidence])).toEqual([['tzdata', 'var/lib/dpkg/status.d/tzdata']])
  })

  it('says which record cannot be read, and reads the rest', () => {
    const text = ['Version: 1\n', 'Package: a\nnonsense\n', record('b', { Source: 'c (' }), record('d')].join('\n')
    const { packages, warnings } = readFiles(dpkg, { [status]: text })
    expect(packages.map(({ name, source }) => [name, source?.name])).toEqual([
      ['b', undefined],
      ['d', 'd'],
    ])
    expect(warnings).toEqual(
      [
        'the record at line 1 has no readable package name, and is left out',
        'line 4 is no field, and is not read',
        'the record at line 3 has no readable version of a, and is left out',
        'the record at line 6 has an unreadable Source, so the source package of b is unknown',
      ].map((message) => ({ path: status, message })),
    )
  })

  it('takes licenses from machine-readable copyright files', () => {
    const copyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Somebody
License: GPL-2+ or Artistic, and Expat

Files: debian/*
License: Expat
 Permission is hereby granted …

License: GPL-3
 Named nowhere.
`
    const read = (text: string) => {
      return readFiles(dpkg, { [status]: record('a'), 'usr/share/doc/a/copyright': text }).packages[0]?.licenses
    }
    expect(read(copyright)).toEqual(['(GPL-2.0-or-later OR LicenseRef-Artistic) AND MIT', 'MIT'])
    expect(read(copyright.replace('Format', 'Upstream'))).toEqual([])
  })

  it('finds owners by lists, by sums where there is no list, and through a merged usr', () => {
    const info = 'var/lib/dpkg/info'
    const { evidence } = readFiles(dpkg, {
      [`${info}/libc6:amd64.list`]: '/.\n/lib\n/lib/x\n/lib/x/libc.so.6\n/usr\n/usr/bin\n/usr/bin/ldd\n',
      [`${info}/libc6:amd64.md5sums`]: '3dd6192d306f582dee7687da3d8748ab  usr/bin/other\n',
      [`${info}/python3.11.md5sums`]: '3dd6192d306f582dee7687da3d8748ab  usr/lib/python3/a.py\n',
      'var/lib/dpkg/status.d/base.md5sums': '3dd6192d306f582dee7687da3d8748ab  etc/issue\n',
    })
    const asked = ['usr/lib/x/libc.so.6', 'usr/bin/ldd', 'usr/bin/other', 'usr/lib/python3/a.py', 'etc/issue', 'lib/x']
    expect([...(dpkg.owners?.(evidence, new Set(asked)) ?? [])]).toEqual([
      ['usr/lib/x/libc.so.6', 'libc6'],
      ['usr/bin/ldd', 'libc6'],
      ['usr/lib/python3/a.py', 'python3.11'],
      ['etc/issue', 'base'],
    ])
  })

  it('never throws', () => {
    const parts = ['Package: a', 'Version: 1', 'Status: ', 'Source: (', 'License: x', 'Format: x', 'Files: *', '', ' x']
    const line = fc.oneof(fc.constantFrom(...parts), fc.string())
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n')
        const list = 'var/lib/dpkg/info/a.list'
        const { packages, evidence } = readFiles(dpkg, {
          [status]: text,
          [list]: text,
          'usr/share/doc/a/copyright': text,
        })
        for (const { name, version } of packages) expect(`${name}${version}`).toMatch(/^\S+$/)
        dpkg.owners?.(evidence, new Set(['x', 'usr/x']))
      }),
    )
  })
})

interface Expected {
  readonly name: string
  readonly version: string
  readonly arch: string | null
  readonly source: string
  readonly sourceVersion: string
}

describeWith({ shared: true }, 'dpkg: expected lists', ({ shared }) => {
  const read = (file: string): Buffer => readFileSync(join(shared, 'data', file))
  const expected = (file: string) => JSON.parse(read(file).toString())

  it.each([
    'dpkg/scalibr-valid.status',
    'dpkg/texlive.status.gz',
    'debian-built/bookworm-min-full.status.gz',
    'debian-built/bookworm-min-main.status.gz',
    'debian-built/bookworm-nginx-dev.status.gz',
    'debian-built/bookworm-nginx-main.status.gz',
    'debian-built/bookworm-nginx.status.gz',
    'debian-built/bookworm-python.status.gz',
    'debian-built/trixie-python.status.gz',
  ])('%s', (file) => {
    const bytes = read(`pkgdb/${file}`)
    const list = expected(`pkgdb/${file.replace(/\.status(?:\.gz)?$/, '')}.expected.json`)
    expect(expectList(file.endsWith('.gz') ? gunzip(bytes) : bytes, list)).toEqual([])
  })

  it.each([
    ['dpkg/scalibr-nopackage', 'the record at line 5 has no readable package name, and is left out'],
    ['dpkg/scalibr-noversion', 'the record at line 5 has no readable version of acl, and is left out'],
  ])('%s', (file, warning) => {
    expect(expectList(read(`pkgdb/${file}.status`), expected(`pkgdb/${file}.expected.json`))).toEqual([warning])
  })

  it.each(['goof-node-jessie-docker-save', 'nginx-1.17-buster-docker-save', 'nginx-2019-09-buster-skopeo'])(
    '%s',
    (name) => {
      const archive = filesOfTar(read(`images/${name}.tar`))
      const [manifest] = JSON.parse(String(archive['manifest.json']))
      const layers = (manifest.Layers as string[]).map((layer) => archive[layer] as Buffer)
      const statuses = layers.map((layer) => filesOfTar(layer[0] === 0x1f ? gunzip(layer) : layer)[status])
      const list = expected('expected/images.json')[`images/${name}.tar`][0].packageList.dpkg
      expect(expectList(statuses.findLast((bytes) => bytes !== undefined) as Buffer, list)).toEqual([])
    },
  )

  it('distroless-layer', () => {
    const { packages, warnings, evidence } = readFiles(dpkg, filesOfTar(read('pkgdb/dpkg/distroless-layer.tar')))
    expect(warnings).toEqual([])
    expect(packages.map(({ name, version }) => [name, version])).toEqual([
      ['base-files', '11.1+deb11u7'],
      ['netbase', '6.3'],
      ['tzdata', '2021a-1+deb11u10'],
    ])
    const path = 'usr/share/doc/netbase/copyright'
    expect(dpkg.owners?.(evidence, new Set([path])).get(path)).toBe('netbase')
  })
})

/** The warnings there were. */
function expectList(bytes: Uint8Array, expected: readonly Expected[]): string[] {
  const { packages, warnings } = readFiles(dpkg, { [status]: bytes })
  const seen = packages.map(({ name, version, architecture, source }) => {
    return { name, version, arch: architecture, source: source?.name, sourceVersion: source?.version }
  })
  const byKey = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  expect(seen.sort(byKey)).toEqual([...expected].sort(byKey))
  return warnings.map(({ message }) => message)
}
