import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gunzip, readFiles } from '../../../test/support/evidence.js'
import { describeWith } from '../../../test/support/needs.js'
import { buildElf, buildMachO, buildPe } from './executable.fixture.js'
import { rust } from './rust.js'

const crates = {
  packages: [
    { name: 'tool', version: '0.1.0', source: 'local', root: true, dependencies: [1] },
    { name: 'serde', version: '1.0.193', source: 'crates.io' },
    { name: 'cc', version: '1.0.83', source: 'crates.io', kind: 'build' },
    { name: 'libc', version: '0.2.150', source: 'crates.io', kind: 'runtime' },
  ],
}

function section(value: unknown): { name: string; content: Buffer } {
  return { name: '.dep-v0', content: deflateSync(JSON.stringify(value)) }
}

function messagesOf(file: Buffer): string[] {
  return readFiles(rust, { f: file }).warnings.map(({ message }) => message)
}

describe('rust', () => {
  it.each([
    ['ELF', buildElf([section(crates)])],
    ['PE', buildPe(section(crates))],
    ['Mach-O', buildMachO(section(crates))],
  ])('reads what cargo-auditable left in %s, without what only the build needed', (_, file) => {
    const { packages, warnings } = readFiles(rust, { 'usr/bin/tool': file })
    expect(warnings).toEqual([])
    expect(packages.map(({ type, name, version }) => `${type} ${name} ${version}`)).toEqual([
      'cargo tool 0.1.0',
      'cargo serde 1.0.193',
      'cargo libc 0.2.150',
    ])
  })

  it('keeps nothing of other executables', () => {
    const { evidence } = readFiles(rust, { f: buildElf([{ ...section(crates), name: '.dep-v1' }]) })
    expect([...evidence.list('rust-auditable')]).toEqual([])
  })

  it('warns of a list that is damaged, inflates too far or has another form', () => {
    const { content } = section(crates)
    expect(messagesOf(buildElf([{ name: '.dep-v0', content: content.subarray(0, 20) }]))).toEqual([
      'its list of crates is damaged, and gives no package',
    ])
    expect(messagesOf(buildElf([{ name: '.dep-v0', content: deflateSync(Buffer.alloc(10_000_000, 0x20)) }]))).toEqual([
      'its list of crates is damaged, and gives no package',
    ])
    expect(messagesOf(buildElf([section([])]))).toEqual(['its list of crates has another form, and gives no package'])
  })

  it('never throws, whatever is changed in a file', () => {
    const file = buildElf([section(crates)])
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), fc.json(), (changes, value) => {
        const bytes = Buffer.from(file)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        readFiles(rust, { f: bytes })
        readFiles(rust, { f: buildElf([section({ packages: [JSON.parse(value), { name: value, version: value }] })]) })
      }),
      { numRuns: 500 },
    )
  })
})

describeWith({ shared: true }, 'rust on shared data', ({ shared }) => {
  it('reads a real program', () => {
    const folder = join(shared, 'data/apps/rust')
    const expected = JSON.parse(readFileSync(join(folder, 'rust-auditable-test.elf.expected.json'), 'utf8')) as {
      packages: { name: string; version: string }[]
    }
    const { packages } = readFiles(rust, { f: gunzip(readFileSync(join(folder, 'rust-auditable-test.elf.gz'))) })
    expect(packages.map(({ name, version }) => ({ name, version }))).toEqual(
      expected.packages.map(({ name, version }) => ({ name, version })),
    )
  })

  it('never throws, whatever is changed in a real file', () => {
    const file = gunzip(readFileSync(join(shared, 'data/apps/rust/rust-auditable-test.elf.gz')))
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), fc.nat(100_000), (changes, cut) => {
        const bytes = Buffer.from(file.subarray(0, file.length - cut))
        // Half of the changes where headers lead to the rest.
        for (const [at, value, isHead] of changes)
          bytes[isHead ? bytes.length - 1 - (at % 4096) : at % bytes.length] = value
        readFiles(rust, { f: bytes })
      }),
      { numRuns: 300 },
    )
  })
})
