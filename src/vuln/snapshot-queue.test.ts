import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Advisory } from '../core/advisory.js'
import { openSqliteForBuilding } from '../store/sqlite-open.js'
import { storeFault } from '../store/store-fault.js'
import { readAdvisoryFile } from './read-file.js'
import { buildSnapshot } from './snapshot-builder.js'
import { type SnapshotPort, writeHere } from './snapshot-port.js'
import { SnapshotQueue } from './snapshot-queue.js'
import { osv } from './sources/osv-export.js'

const advisory = (id: string): Advisory => ({
  ...{ source: 'osv', id, aliases: [`CVE-${id}`], upstream: [], publishedAt: null, modifiedAt: null },
  ...{ withdrawnAt: null, summary: 'x'.repeat(1000), ratings: [], url: null, affected: [] },
})
const npm = { source: 'osv', part: 'npm', goes: 'none', isImported: true } as const

/** A port that answers when it is told to. */
function slowPort() {
  const asked: { answer(value?: unknown): void; fail(error: Error): void }[] = []
  const call = () => new Promise<unknown>((answer, fail) => asked.push({ answer, fail }))
  const port = { call, end: async () => {} } as SnapshotPort
  return { port, asked }
}

it('whoever reads waits while much is still to be written, and no longer', async () => {
  const { port, asked } = slowPort()
  const queue = new SnapshotQueue(port)
  let put = 0
  while (queue.settle() === null) queue.records.advisory(npm, advisory(String(put++)))
  // Some batches of a thousand values or of a million characters are under way; not everything that there is.
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.length).toBeLessThan(40)
  let isSettled = false
  const settled = queue.settle()?.then(() => {
    isSettled = true
  })
  await new Promise(setImmediate)
  expect(isSettled).toBe(false)
  asked[0]?.answer()
  await settled
  expect(queue.settle()).toBe(null)
})

it('what goes wrong with what was put is told to whoever reads, and forgotten when it is taken back', async () => {
  const { port, asked } = slowPort()
  const queue = new SnapshotQueue(port)
  queue.records.advisory(npm, advisory('A'))
  queue.records.flush()
  asked[0]?.fail(new Error('full'))
  await new Promise(setImmediate)
  await expect(queue.settle()).rejects.toThrow('full')
  const rollback = queue.rollback()
  asked[1]?.answer()
  await rollback
  expect(queue.settle()).toBe(null)
})

it('a list of records is read no faster than it is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-queue-'))
  const records = Array.from({ length: 50 }, (_, at) => ({ id: `GHSA-${at}`, modified: '2026-01-01T00:00:00Z' }))
  writeFileSync(join(folder, 'list.json'), JSON.stringify(records))
  let asked = 0
  const settle = async () => {
    asked++
  }
  const none = () => {}
  const sink = () => ({ advisory: none, kev: none, epss: none, release: none, refuse: none })
  const refuse = () => {}
  await readAdvisoryFile(join(folder, 'list.json'), { sources: [osv], sink, refuse, settle, isLenient: true })
  expect(asked).toBeGreaterThanOrEqual(50)
})

it('a full disk is said as such, and what was there before stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-queue-'))
  const openSmall = (path: string) => {
    const database = openSqliteForBuilding(path)
    database.exec('pragma max_page_count = 64')
    return database
  }
  const builder = await buildSnapshot({
    ...{
      path: join(folder, 'a.db'),
      openPort: writeHere({ open: openSmall, faultOf: storeFault }),
      keepsOld: false,
      now: 5,
    },
  })
  await builder.attempt(async () => builder.sink(osv).advisory('npm', advisory('A')))
  const much = builder.attempt(async () => {
    const sink = builder.sink(osv)
    for (let at = 0; at < 2000; at++) {
      sink.advisory('npm', advisory(`B${at}`))
      await builder.settle()
    }
  })
  await expect(much).rejects.toMatchObject({ code: 'disk-full' })
  expect(await builder.records('osv', 'npm')).toBe(1)
  // Nobody waits: what comes after it went wrong, and after SQLite took all back by itself, is not written either.
  await builder.attempt(async () => {
    const sink = builder.sink(osv)
    for (let at = 0; at < 2000; at++) sink.advisory('npm', advisory(`C${at}`))
  })
  await expect(builder.records('osv', 'npm')).rejects.toMatchObject({ code: 'disk-full' })
  expect(await builder.records('osv', 'npm')).toBe(1)
  await builder.discard()
  expect(readdirSync(folder)).toEqual([])
})
