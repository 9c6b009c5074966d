import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { buildElf, buildMachO, buildPe, buildUniversal, elfBase, elfStart } from './executable.fixture.js'
import { go } from './go.js'

const modules = `path\texample.com/tool/cmd
mod\texample.com/tool\tv1.4.0\th1:x
dep\texample.com/a\tv1.0.0\th1:x
dep\texample.com/b\tv1.0.0
=>\texample.com/fork\tv1.1.0\th1:x
dep\texample.com/c\tv0.1.0
=>\t./c\t(devel)\t
dep\texample.com/d\t(devel)\t
build\t-compiler=gc
`
const listed = [
  'example.com/tool v1.4.0',
  'example.com/a v1.0.0',
  'example.com/fork v1.1.0',
  'example.com/c v0.1.0',
  'example.com/d (devel)',
  'stdlib v1.22.1',
]

function frame(lines: string): Buffer {
  const mark = Buffer.alloc(16, 0x30)
  return Buffer.concat([mark, Buffer.from(lines), mark])
}

function sized(bytes: Uint8Array): Buffer {
  const length: number[] = []
  let rest = bytes.length
  for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

/** Build information as Go's linker writes it from 1.18 on. */
function inPlace(version: string, lines: string): Buffer {
  const header = Buffer.alloc(32)
  header.write('\xff Go buildinf:\x08\x02', 'latin1')
  return Buffer.concat([header, sized(Buffer.from(version)), sized(frame(lines))])
}

/** As Go's linker wrote it before: pointers to string headers. All of it lies at the start of the first section. */
function byPointer(version: string, lines: string, isWide: boolean, isLittleEndian: boolean): Buffer {
  const width = isWide ? 8 : 4
  const texts = [Buffer.from(version), frame(lines)]
  const bytes = Buffer.alloc(32 + 4 * width)
  bytes.write('\xff Go buildinf:', 'latin1')
  bytes[14] = width
  bytes[15] = isLittleEndian ? 0 : 1
  const put = (at: number, value: number) => {
    if (isLittleEndian) bytes.writeUInt32LE(value, at)
    else bytes.writeUInt32BE(value, at + width - 4)
  }
  const base = elfBase + elfStart
  let text = bytes.length
  for (const [index, { length }] of texts.entries()) {
    put(16 + index * width, base + 32 + index * 2 * width)
    put(32 + index * 2 * width, base + text)
    put(32 + index * 2 * width + width, length)
    text += length
  }
  return Buffer.concat([bytes, ...texts])
}

function namesIn(bytes: Buffer): string[] {
  return readFiles(go, { 'usr/bin/tool': bytes }).packages.map(({ name, version }) => `${name} ${version}`)
}

const section = { name: '.go.buildinfo', content: inPlace('go1.22.1', modules) }

describe('go', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('reads ELF of Go 1.18 and of before (64 bits %s, little-endian %s)', (isWide, isLittleEndian) => {
    const others = [{ name: '.text', content: Buffer.alloc(100) }]
    expect(namesIn(buildElf([section, ...others], { isWide, isLittleEndian }))).toEqual(listed)
    const older = { name: '.go.buildinfo', content: byPointer('go1.22.1', modules, isWide, isLittleEndian) }
    expect(namesIn(buildElf([older, ...others], { isWide, isLittleEndian }))).toEqual(listed)
  })

  it('reads ELF without section headers, PE, Mach-O and universal Mach-O', () => {
    expect(namesIn(buildElf([section], { isStripped: true }))).toEqual(listed)
    expect(namesIn(buildPe({ name: '.data', content: Buffer.concat([Buffer.alloc(64), section.content]) }))).toEqual(
      listed,
    )
    const thin = buildMachO({ ...section, name: '__go_buildinfo' })
    expect(namesIn(thin)).toEqual(listed)
    const other = buildMachO({
      name: '__go_buildinfo',
      content: inPlace('go1.22.1', modules.replace('v1.4.0', 'v1.5.0')),
    })
    expect(namesIn(buildUniversal([thin, thin, other]))).toEqual([...listed, 'example.com/tool v1.5.0'])
  })

  it.each([
    ['go1.22.1 X:loopvar', 'v1.22.1'],
    ['go1.22.1-fips', 'v1.22.1'],
    ['go1.20', 'v1.20.0'],
    ['go1.21rc2', 'v1.21.0-rc.2'],
    ['devel go1.23-2f3a4b Tue Mar 5', 'v1.23.0-devel'],
    ['devel +2f3a4b', '(devel)'],
  ])('gives the standard library of %s as %s', (version, expected) => {
    expect(namesIn(buildElf([{ ...section, content: inPlace(version, '') }]))).toEqual([`stdlib ${expected}`])
  })

  it('takes the version of a main module without one from the build', () => {
    const lines = 'mod\texample.com/tool\t(devel)\t\nbuild\t-ldflags="-s -X \'main.version=2.1.0\'"\n'
    expect(namesIn(buildElf([{ ...section, content: inPlace('go1.22.1', lines) }]))).toContain(
      'example.com/tool v2.1.0',
    )
  })

  it('keeps nothing of files that are no Go programs', () => {
    const none = [
      buildElf([{ name: '.text', content: Buffer.concat([Buffer.alloc(16), section.content]) }]),
      buildPe({ name: '.data', content: Buffer.alloc(64) }),
      Buffer.concat([Buffer.from('cafebabe00000041', 'hex'), Buffer.alloc(100)]),
    ]
    for (const bytes of none) {
      expect(readFiles(go, { f: bytes })).toMatchObject({ packages: [], warnings: [] })
      expect([...readFiles(go, { f: bytes }).evidence.list('go-buildinfo')]).toEqual([])
    }
  })

  it('warns of build information that is cut off', () => {
    const { warnings } = readFiles(go, { f: buildElf([{ ...section, content: section.content.subarray(0, 36) }]) })
    expect(warnings.map(({ message }) => message)).toEqual([
      'it is a Go program whose build information cannot be read, and packages are missing',
    ])
    const half = readFiles(go, { f: buildElf([{ ...section, content: section.content.subarray(0, 60) }]) })
    expect(half.warnings.map(({ message }) => message)).toEqual([
      'the modules of this Go program cannot be read, and packages are missing',
    ])
    expect(half.packages.map(({ name }) => name)).toEqual(['stdlib'])
  })

  it('never throws, whatever is changed in a file', () => {
    const files = [
      buildElf([section]),
      buildElf([{ ...section, content: byPointer('go1.16', modules, true, true) }]),
      buildElf([section], { isWide: false, isLittleEndian: false }),
      buildPe({ ...section, name: '.data' }),
      buildUniversal([buildMachO({ ...section, name: '__go_buildinfo' })]),
    ]
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(change, { maxLength: 30 }), fc.nat(500), (file, changes, cut) => {
        const bytes = Buffer.from(file.subarray(0, file.length - cut))
        // Headers are where a change leads astray.
        for (const [at, value] of changes) bytes[at % (at % 2 === 0 ? 512 : bytes.length)] = value
        readFiles(go, { f: bytes })
      }),
      { numRuns: 2000 },
    )
  })
})

describeWith({ shared: true }, 'go on shared data', ({ shared }) => {
  it.each(['go-goexperiment', 'go-replace-linux-386'])('reads %s', (name) => {
    const expected = JSON.parse(readFileSync(join(shared, `data/apps/go/${name}.elf.expected.json`), 'utf8')) as {
      goVersion: string
      modules: { path: string; version: string; replacedBy?: { path: string; version: string } }[]
    }
    const modules = expected.modules.map(({ replacedBy, ...own }) => replacedBy ?? own)
    const toolchain = `stdlib v${expected.goVersion.slice(2).split(' ')[0]}`
    const bytes = gunzip(readFileSync(join(shared, `data/apps/go/${name}.elf.gz`)))
    expect(namesIn(bytes)).toEqual([...modules.map(({ path, version }) => `${path} ${version}`), toolchain])
  })

  it('never throws, whatever is changed in a real file', () => {
    const file = gunzip(readFileSync(join(shared, 'data/apps/go/go-replace-linux-386.elf.gz')))
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), fc.nat(2_000_000), (changes, cut) => {
        const bytes = Buffer.from(file.subarray(0, file.length - cut))
        // Half of the changes where headers lead to the rest.
        for (const [at, value, isHead] of changes) bytes[at % (isHead ? 2048 : bytes.length)] = value
        readFiles(go, { f: bytes })
      }),
      { numRuns: 100 },
    )
  })
})

const hasGo = (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'go')))

describe.skipIf(!hasGo)(hasGo ? "go on the toolchain's programs" : 'go [skipped: go is not on PATH]', () => {
  let folder = ''
  const environment = {
    ...process.env,
    GOFLAGS: '',
    GOTOOLCHAIN: 'local',
    GOPROXY: 'off',
    CGO_ENABLED: '0',
    GOWORK: 'off',
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-go-'))
    writeFileSync(join(folder, 'go.mod'), 'module example.com/tool\n\ngo 1.18\n')
    writeFileSync(join(folder, 'main.go'), 'package main\n\nvar version string\n\nfunc main() { println(version) }\n')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(['linux/amd64', 'windows/amd64', 'darwin/arm64'])(
    'reads what `go build` makes for %s, without symbols, as `go version -m` does',
    (target) => {
      const [GOOS, GOARCH] = target.split('/')
      const path = join(folder, 'tool')
      const flags = ['-buildvcs=false', '-ldflags', '-s -w -X main.version=3.1.4', '-o', path]
      execFileSync('go', ['build', ...flags, '.'], { cwd: folder, env: { ...environment, GOOS, GOARCH } })
      const told = execFileSync('go', ['version', '-m', path], { encoding: 'utf8', env: environment })
      const [, toolchain, main] = /: go(\S+)[\s\S]*\n\tmod\t(\S+)\t\(devel\)/.exec(told) ?? []
      expect(namesIn(readFileSync(path))).toEqual([`${main} v3.1.4`, `stdlib v${toolchain}`])
    },
    240_000,
  )
})
