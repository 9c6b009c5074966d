import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../test/support/needs.js'
import { buildZip, type ZipOptions } from './zip.fixture.js'
import { listZip, readZip } from './zip.js'

const members = { 'a.txt': 'alpha', 'b/é.txt': 'beta '.repeat(1000), empty: '' }

/** All members as text, and what was refused. */
function unzip(bytes: Buffer, maxBytes = 1_000_000): { contents: Record<string, string | null>; refused: string[] } {
  const refused: string[] = []
  const refuse = (problem: string) => refused.push(problem)
  const contents: Record<string, string | null> = {}
  for (const entry of listZip(bytes, () => true, refuse)) {
    contents[entry.name] = readZip(bytes, entry, maxBytes, refuse)?.toString() ?? null
  }
  return { contents, refused }
}

describe('zip', () => {
  it.each<ZipOptions>([
    {},
    { isStored: true },
    { isZip64: true },
    { hasDescriptors: true },
    { prefix: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n') },
    { prefix: Buffer.from('x'), isZip64: true },
    { comment: 'PK\x05\x06 is no end here' },
  ])('reads all members of an archive with %j', (options) => {
    expect(unzip(buildZip(members, options))).toEqual({ contents: members, refused: [] })
  })

  it('gives only the members that are wanted', () => {
    const names = listZip(
      buildZip(members),
      (name) => name === 'empty',
      () => undefined,
    ).map(({ name }) => name)
    expect(names).toEqual(['empty'])
  })

  it('stops at the limit, whatever size a member declares', () => {
    const bomb = buildZip({ bomb: Buffer.alloc(5_000_000) })
    expect(bomb.length).toBeLessThan(10_000)
    expect(unzip(bomb)).toEqual({
      contents: { bomb: null },
      refused: ["its member 'bomb' is larger than 1000000 bytes"],
    })
  })

  it('says what is encrypted, damaged and cut off', () => {
    expect(unzip(buildZip({ a: 'b' }, { flags: 1 })).refused).toEqual(["its member 'a' is encrypted"])
    const damaged = buildZip({ a: 'alpha alpha alpha' })
    damaged.fill(0xff, 31, 36)
    expect(unzip(damaged).refused).toEqual(["its member 'a' is damaged"])
    expect(unzip(damaged.subarray(0, -1)).refused).toEqual(['it is not a whole zip archive'])
  })

  it('never throws and never gives more than the limit, whatever is changed in an archive', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    const options = fc.record({ isStored: fc.boolean(), isZip64: fc.boolean(), hasDescriptors: fc.boolean() })
    fc.assert(
      fc.property(options, fc.array(change, { maxLength: 20 }), fc.nat(200), (shape, changes, cut) => {
        const archive = buildZip(members, shape)
        for (const [at, value] of changes) archive[at % archive.length] = value
        const { contents } = unzip(archive.subarray(0, archive.length - cut), 10_000)
        for (const content of Object.values(contents)) expect((content ?? '').length).toBeLessThanOrEqual(10_000)
      }),
      { numRuns: 1000 },
    )
  })
})

describeWith({ shared: true }, 'zip on shared data', ({ shared }) => {
  it('reads the metadata of a wheel', () => {
    const { contents, refused } = unzip(
      readFileSync(join(shared, 'data/apps/python/monotonic-1.6-py2.py3-none-any.whl')),
    )
    expect(refused).toEqual([])
    expect(contents['monotonic-1.6.dist-info/METADATA']).toMatch(
      /^Metadata-Version: 2\.1\nName: monotonic\nVersion: 1\.6\n/,
    )
  })
})
