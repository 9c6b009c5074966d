import { copyFileSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Advisory, AffectedPackage } from '../core/advisory.js'
import { openSqliteForBuilding, openSqliteReadOnly } from '../store/sqlite-open.js'
import { storeFault } from '../store/store-fault.js'
import { openSnapshot } from './snapshot.js'
import { buildSnapshot } from './snapshot-builder.js'
import { decodeAffected, decodeHead, encodeAffected, encodeHead } from './snapshot-codec.js'
import { holdSnapshot } from './snapshot-holder.js'
import { writeHere } from './snapshot-port.js'
import { debianTracker } from './sources/debian-tracker.js'
import { osv } from './sources/osv-export.js'

const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const texts = fc.array(text, { maxLength: 3 })
const time = fc.option(fc.integer({ min: 0 }))
const rating = fc.record({ system: fc.constantFrom('CVSS_V2', 'CVSS_V3', 'CVSS_V4', 'word'), value: text, by: text })
const event = fc.record({ kind: fc.constantFrom('introduced', 'fixed', 'last-affected', 'limit'), version: text })
const affected: fc.Arbitrary<AffectedPackage> = fc.record({
  ecosystem: fc.constantFrom('npm', 'Debian:12', 'PyPI'),
  name: text,
  status: fc.constantFrom('affected', 'not-affected', 'under-investigation'),
  ranges: fc.array(
    fc.record({ type: fc.constantFrom('SEMVER', 'ECOSYSTEM'), events: fc.array(event, { maxLength: 3 }) }),
    { maxLength: 2 },
  ),
  versions: texts,
  fix: fc.constantFrom('open', 'wont-fix', 'deferred', 'end-of-life'),
  architectures: texts,
  module: fc.option(text),
  binaries: texts,
  ratings: fc.array(rating, { maxLength: 2 }),
})
const advisory: fc.Arbitrary<Advisory> = fc.record({
  source: fc.constant('osv'),
  id: fc.constantFrom('A-1', 'A-2', 'A-3', 'A-4'),
  aliases: texts,
  upstream: texts,
  publishedAt: time,
  modifiedAt: fc.option(fc.integer({ min: 0, max: 2 })),
  withdrawnAt: time,
  summary: fc.option(text),
  ratings: fc.array(rating, { maxLength: 2 }),
  url: fc.option(text),
  affected: fc.array(affected, { maxLength: 4 }),
})

const newPath = () => join(mkdtempSync(join(tmpdir(), 'tidemark-snapshot-')), 'advisories.db')
const begin = (path: string, keepsOld = false) =>
  buildSnapshot({ path, openPort: writeHere({ open: openSqliteForBuilding, faultOf: storeFault }), keepsOld, now: 5 })
const open = (path: string) => openSnapshot(path, openSqliteReadOnly)
const plain = (id: string, name: string, modifiedAt: number | null = null): Advisory => ({
  ...{ source: 'osv', id, aliases: [`CVE-${id}`], upstream: [], publishedAt: null, modifiedAt, withdrawnAt: null },
  ...{ summary: null, ratings: [], url: null },
  affected: [
    {
      ...{
        ecosystem: 'npm',
        name,
        status: 'affected',
        ranges: [],
        versions: ['1.0.0'],
        fix: 'open',
        architectures: [],
      },
      ...{ module: null, binaries: [], ratings: [] },
    },
  ],
})

describe('what is written', () => {
  it('is read as it was', () => {
    fc.assert(
      fc.property(advisory, (one) => {
        const { affected, ...head } = one
        expect(decodeHead('osv', one.id, encodeHead(one))).toEqual(head)
        for (const entry of affected)
          expect(decodeAffected(entry.ecosystem, entry.name, encodeAffected(entry))).toEqual(entry)
      }),
    )
  })

  it('is one snapshot in whatever order it comes, in one build or in several', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(advisory, { minLength: 1, maxLength: 12 }), fc.nat(11), async (advisories, at) => {
        const build = async (batches: readonly (readonly Advisory[])[]) => {
          const path = newPath()
          for (const [index, batch] of batches.entries()) {
            const builder = await begin(path, index > 0)
            await builder.attempt(async () => {
              const sink = builder.sink(osv)
              for (const one of batch) sink.advisory('p', one)
            })
            await builder.finish()
          }
          const snapshot = open(path)
          // Read while it is open: packages come when they are asked for.
          const all = ['A-1', 'A-2', 'A-3', 'A-4'].flatMap((id) => structuredClone(snapshot.named(id)))
          const ofAll = snapshot.ecosystems.map((ecosystem) => [
            ecosystem,
            snapshot.of(ecosystem, advisories[0]?.affected[0]?.name ?? '').length,
          ])
          snapshot.close()
          return { id: snapshot.identity.id, all, ofAll }
        }
        const expected = await build([advisories])
        expect(await build([advisories.toReversed()])).toEqual(expected)
        expect(await build([advisories.slice(at), advisories.slice(0, at), advisories])).toEqual(expected)
      }),
      { numRuns: 40 },
    )
  })
})

describe('a build', () => {
  it('takes back what a failed attempt wrote, and only that', async () => {
    const path = newPath()
    const builder = await begin(path)
    await builder.attempt(async () => builder.sink(osv).advisory('npm', plain('A', 'a')))
    const failing = builder.attempt(async () => {
      const sink = builder.sink(osv)
      for (let index = 0; index < 100; index++) sink.advisory('npm', plain(`B${index}`, `b${index}`))
      throw new Error('broken')
    })
    await expect(failing).rejects.toThrow('broken')
    await builder.attempt(async () => builder.sink(osv).advisory('npm', plain('C', 'a')))
    await builder.finish()
    const snapshot = open(path)
    expect(snapshot.of('npm', 'a').map(({ advisory }) => advisory.id)).toEqual(['A', 'C'])
    expect(snapshot.sources).toMatchObject([{ name: 'osv', part: 'npm', records: 2, fetchedAt: 5 }])
  })

  it('knows every ecosystem that some record is about, once and in order', async () => {
    const path = newPath()
    const ecosystemsOf = async (ecosystems: readonly string[]) => {
      const builder = await begin(path)
      await builder.attempt(async () => {
        for (const [at, ecosystem] of ecosystems.entries()) {
          const one = plain(`A${at}`, `package-${at}`)
          builder.sink(osv).advisory(null, { ...one, affected: one.affected.map((entry) => ({ ...entry, ecosystem })) })
        }
      })
      await builder.finish()
      return open(path).ecosystems
    }
    expect(await ecosystemsOf([])).toEqual([])
    expect(await ecosystemsOf(['npm', 'Debian:12', 'npm', 'Alpine:v3.20', 'PyPI', 'Debian:12'])).toEqual([
      ...['Alpine:v3.20', 'Debian:12', 'PyPI', 'npm'],
    ])
  })

  it('of a part that is renewed keeps what was imported, and of a whole document nothing', async () => {
    const path = newPath()
    const build = async (work: (builder: Awaited<ReturnType<typeof begin>>) => void, keepsOld = true) => {
      const builder = await begin(path, keepsOld)
      await builder.attempt(async () => work(builder))
      await builder.finish()
    }
    await build((builder) => builder.sink(osv).advisory('npm', plain('OWN', 'a')), false)
    await build((builder) => builder.sink(osv, { renews: { part: 'npm' } }).advisory('npm', plain('OLD', 'a')))
    await build((builder) => {
      const sink = builder.sink(osv, { renews: { part: 'npm' } })
      sink.advisory('npm', plain('NEW', 'a'))
      sink.advisory('PyPI', plain('ELSE', 'a'))
    })
    expect(
      open(path)
        .of('npm', 'a')
        .map(({ advisory }) => advisory.id),
    ).toEqual(['NEW', 'OWN'])
    expect(open(path).named('CVE-OLD')).toEqual([])
    await build((builder) =>
      builder.sink(debianTracker).advisory(null, { ...plain('D1', 'd'), source: 'debian-tracker' }),
    )
    await build((builder) =>
      builder.sink(debianTracker).advisory(null, { ...plain('D2', 'd'), source: 'debian-tracker' }),
    )
    expect(
      open(path)
        .of('npm', 'd')
        .map(({ advisory }) => advisory.id),
    ).toEqual(['D2'])
  })
})

describe('a held snapshot', () => {
  const build = async (path: string, name: string) => {
    const builder = await begin(path)
    await builder.attempt(async () => builder.sink(osv).advisory('npm', plain(name, 'a')))
    await builder.finish()
  }
  const ids = (snapshot: ReturnType<typeof open>) => snapshot.of('npm', 'a').map(({ advisory }) => advisory.id)

  it('is replaced for whoever asks next, and stays open for those who read it', async () => {
    const path = newPath()
    let closed = 0
    const held = holdSnapshot(path, (file) => {
      const database = openSqliteReadOnly(file)
      return {
        prepare: (sql) => database.prepare(sql),
        exec: (sql) => database.exec(sql),
        close: () => {
          closed++
          database.close()
        },
      }
    })
    expect(() => held.current()).toThrow(expect.objectContaining({ code: 'no-advisory-data' }))
    await build(path, 'A')
    const [first, again] = [held.current(), held.current()]
    await build(path, 'B')
    const second = held.current()
    expect([ids(first), ids(again), ids(second)]).toEqual([['A'], ['A'], ['B']])
    expect(first.identity.id).not.toBe(second.identity.id)
    first.close()
    first.close()
    expect([closed, ids(again)]).toEqual([0, ['A']])
    again.close()
    expect(closed).toBe(1)
    second.close()
    held.close()
    expect(closed).toBe(2)
  })

  it('does not give way to a file that cannot be read', async () => {
    const path = newPath()
    const held = holdSnapshot(path, openSqliteReadOnly)
    await build(path, 'A')
    held.current().close()
    const good = `${path}.good`
    copyFileSync(path, good)
    writeFileSync(`${path}.bad`, 'SQLite format 3\0 and nothing else'.repeat(100))
    renameSync(`${path}.bad`, path)
    expect(ids(held.current())).toEqual(['A'])
    expect(held.problem?.code).toBe('advisories-damaged')
    renameSync(good, path)
    expect(ids(held.current())).toEqual(['A'])
    expect(held.problem).toBe(null)
    held.close()
  })

  it('of a newer form is refused', async () => {
    const path = newPath()
    await build(path, 'A')
    const database = openSqliteForBuilding(path)
    database.exec('pragma user_version = 99')
    database.close()
    expect(() => open(path)).toThrow(expect.objectContaining({ code: 'store-newer' }))
  })
})
