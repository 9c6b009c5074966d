import { createHash } from 'node:crypto'
import type { EpssScore, ProductRelease } from '../core/advisory.js'
import type { SqliteDatabase, SqliteValue } from '../core/sqlite.js'
import {
  type Destination,
  type EncodedAdvisory,
  forEachRecord,
  type RecordBatch,
  type RecordTaker,
} from './record-batch.js'
import { RowBatch, rowsAtOnce } from './row-batch.js'
import { PackageKeys } from './snapshot-packages.js'
import { digestOf, type Row, rowOf, rowsOf, sortedRows } from './snapshot-rows.js'
import { rowsPerAdvisory } from './snapshot-schema.js'
import { prepareStatements, type Statements } from './snapshot-statements.js'

/** Stands for "at no known time" in a column that is compared. */
const noTime = -1

/** A part of a source, while it is written to. */
interface OpenPart {
  readonly key: number
  refused: number
  isTouched: boolean
  /** Whether there was nothing of it before this build. */
  readonly isNew: boolean
}

/** Writes records into the tables of a snapshot. */
export class SnapshotWriter implements RecordTaker {
  readonly #database: SqliteDatabase
  readonly #now: number
  readonly #statements: Statements
  readonly #parts = new Map<string, OpenPart>()
  readonly #packages: PackageKeys
  readonly #affected: RowBatch
  readonly #named: RowBatch
  #nextAdvisory: number
  readonly #advisories: RowBatch
  /**
   * Advisories that are not in the table yet. A new list each time, and no map: a map that is cleared keeps what was in it alive
   * through the chain of its old tables until the whole heap is collected, which took a tenth of a build.
   */
  #pending: NewRecord[] = []
  /** Rows of advisories from this one on may still be gathered, */
  #gatheredFrom: number
  /** and those of these. */
  readonly #gatheredOld = new Set<number>()
  #isDeleted = false

  constructor(database: SqliteDatabase, now: number) {
    this.#database = database
    this.#now = now
    this.#statements = prepareStatements(database)
    this.#advisories = new RowBatch(
      database,
      'insert or ignore into advisory (key, part, id, modified_at, is_imported, digest, head) values',
      7,
    )
    this.#affected = new RowBatch(database, 'insert into affected (key, package, body) values', 3)
    this.#named = new RowBatch(database, 'insert into named (key, name) values', 2)
    this.#packages = new PackageKeys(database)
    this.#nextAdvisory = (this.#statements.nextKey.get() as { next: number }).next
    this.#gatheredFrom = this.#nextAdvisory
  }

  /** Puts all that was written into the tables. */
  flush(): void {
    this.#insertPending()
    this.#flushRows()
  }

  /** Remembers how things are; what it gives takes its own memory back to that, after the tables were rolled back. */
  mark(): () => void {
    const parts = [...this.#parts].map(([name, part]) => [name, { ...part }] as const)
    const next = this.#nextAdvisory
    const restorePackages = this.#packages.mark()
    return () => {
      restorePackages()
      this.#pending = []
      this.#affected.clear()
      this.#named.clear()
      this.#gatheredOld.clear()
      this.#parts.clear()
      for (const [name, part] of parts) this.#parts.set(name, part)
      this.#nextAdvisory = next
      this.#gatheredFrom = next
    }
  }

  /** Writes the records of a batch, in their order. */
  write(batch: RecordBatch): void {
    forEachRecord(batch, this)
  }

  touch(to: Destination): void {
    this.#opened(to)
  }

  refuse(to: Destination): void {
    this.#opened(to).refused++
  }

  advisory(to: Destination, { id, modifiedAt, head, names, packages }: EncodedAdvisory): void {
    const part = this.#opened(to).key
    const [key, rows, isImported] = [this.#nextAdvisory++, rowsOf(packages), to.isImported]
    const digest = digestOf(head, rows)
    this.#pending.push({ key, part, id, names, isImported, head, rows, modifiedAt: modifiedAt ?? noTime, digest })
    if (this.#pending.length >= rowsAtOnce) this.#insertPending()
  }

  kev(to: Destination, cve: string, body: string): void {
    this.#statements.kev.run(cve, this.#opened(to).key, body)
  }

  epss(to: Destination, cve: string, { score, percentile }: EpssScore): void {
    this.#statements.epss.run(cve, this.#opened(to).key, score, percentile)
  }

  release(to: Destination, product: string, { release, endsOn, extendedEndsOn }: ProductRelease): void {
    this.#statements.release.run(product, release, this.#opened(to).key, endsOn, extendedEndsOn)
  }

  validators(source: string, part: string): string | null {
    const row = this.#statements.findPart.get(source, part) as { validators: string | null } | undefined
    return row?.validators ?? null
  }

  downloaded(source: string, part: string, validators: string | null): void {
    const { key } = this.#open(source, part)
    this.#statements.downloaded.run(this.#now, validators, key)
  }

  failed(source: string, part: string, failure: string): void {
    const { key } = this.#open(source, part)
    this.#statements.failed.run(failure, key)
  }

  records(source: string, part: string): number {
    return this.#count(this.#open(source, part).key)
  }

  /** Counts, hashes, and takes away what nothing refers to any more. */
  finish(): void {
    if (this.#isDeleted) this.#database.exec('delete from package where key not in (select package from affected)')
    const { digests, kevs, scores, releases, finishPart } = this.#statements
    const touched = [...this.#parts.values()].filter(({ isTouched }) => isTouched)
    const sums = new Map(touched.map(({ key }) => [key, { hash: createHash('sha256'), records: 0 }]))
    // Joined by SQLite, and as bytes, because there are zeros in it: a row of its own for each costs five times as much.
    for (const { part, records, lines } of digests.all(JSON.stringify([...sums.keys()])) as DigestRow[]) {
      const sum = sums.get(part)
      sum?.hash.update(lines)
      if (sum !== undefined) sum.records = records
    }
    for (const { key, refused } of touched) {
      const sum = sums.get(key) ?? { hash: createHash('sha256'), records: 0 }
      for (const statement of [kevs, scores, releases]) {
        for (const row of statement.iterate(key)) {
          sum.records++
          sum.hash.update(`${JSON.stringify(row)}\n`)
        }
      }
      finishPart.run(sum.records, refused, this.#now, sum.hash.digest(), key)
    }
  }

  #opened({ source, part, goes }: Destination): OpenPart {
    const open = this.#open(source, part)
    if (!open.isTouched) this.#touch(open, goes)
    return open
  }

  #open(source: string, part: string): OpenPart {
    const name = `${source}\0${part}`
    let open = this.#parts.get(name)
    if (open === undefined) {
      const { changes } = this.#statements.addPart.run(source, part)
      const { key } = this.#statements.findPart.get(source, part) as { key: number }
      open = { key, refused: 0, isTouched: false, isNew: Number(changes) === 1 }
      this.#parts.set(name, open)
    }
    return open
  }

  #touch(part: OpenPart, goes: Destination['goes']): void {
    part.isTouched = true
    if (goes === 'none' || part.isNew) return
    const rows = this.#statements.ofPart.all(part.key, goes === 'all' ? 1 : 0) as { key: number }[]
    for (const { key } of rows) this.#remove(key)
    for (const table of ['kev', 'epss', 'release']) {
      this.#database.prepare(`delete from ${table} where part = ?`).run(part.key)
    }
  }

  /** All at once, and where that shows that some are there already, perhaps since the one before, one by one. */
  #insertPending(): void {
    const records = this.#pending
    if (records.length === 0) return
    this.#pending = []
    const added = this.#advisories.insert(columnsOf(records))
    const isAllNew = added === records.length
    for (const record of records) {
      const old = isAllNew ? null : (this.#statements.find.get(record.part, record.id) as OldRecord)
      if (old === null || old.key === record.key) {
        this.#addNames(record.key, record.names)
        this.#addRows(record.key, 0, record.rows)
      } else this.#settle(record, old)
    }
  }

  /** Of two records with one id the later stays; of two of one time both hold: feeds split one by release (Alpine's). */
  #settle(next: NewRecord, old: OldRecord): void {
    if (old.modified_at > next.modifiedAt) return
    if (old.is_imported === 1 && !next.isImported) this.#statements.isDownloaded.run(old.key)
    if (old.digest === next.digest) return
    if (old.modified_at === next.modifiedAt) {
      this.#join(next, old)
      return
    }
    this.#removeRows(old.key)
    this.#statements.renew.run(next.modifiedAt, next.digest, next.head, old.key)
    this.#addNames(old.key, next.names)
    this.#addRows(old.key, 0, next.rows)
  }

  #join(next: NewRecord, old: OldRecord): void {
    const oldRows = this.#rowsAt(old.key)
    const known = new Set(oldRows.map(({ text }) => text))
    const added = next.rows.filter(({ text }) => !known.has(text))
    const head = old.head > next.head ? old.head : next.head
    if (added.length === 0 && head === old.head) return
    this.#statements.renew.run(next.modifiedAt, digestOf(head, sortedRows([...oldRows, ...added])), head, old.key)
    if (head !== old.head) {
      this.#removeNames(old.key)
      this.#addNames(old.key, next.names)
    }
    this.#addRows(old.key, oldRows.length, added)
  }

  #addNames(key: number, names: readonly string[]): void {
    if (key < this.#gatheredFrom) this.#gatheredOld.add(key)
    let at = key * rowsPerAdvisory
    for (const name of names) this.#named.add(at++, name)
  }

  /** @param from how many rows the advisory has already */
  #addRows(key: number, from: number, rows: readonly Row[]): void {
    if (key < this.#gatheredFrom) this.#gatheredOld.add(key)
    let at = key * rowsPerAdvisory + from
    const end = (key + 1) * rowsPerAdvisory
    for (const { ecosystem, name, body } of rows) {
      if (at < end) this.#affected.add(at++, this.#packages.keyOf(ecosystem, name), body)
    }
  }

  #remove(key: number): void {
    this.#removeRows(key)
    this.#statements.remove.run(key)
  }

  #removeRows(key: number): void {
    this.#settleGathered(key)
    this.#isDeleted = true
    const first = key * rowsPerAdvisory
    this.#statements.removeAffected.run(first, first + rowsPerAdvisory)
    this.#removeNames(key)
  }

  #removeNames(key: number): void {
    const first = key * rowsPerAdvisory
    this.#statements.removeNames.run(first, first + rowsPerAdvisory)
  }

  #rowsAt(key: number): Row[] {
    this.#settleGathered(key)
    const first = key * rowsPerAdvisory
    const rows = this.#statements.rows.all(first, first + rowsPerAdvisory) as Omit<Row, 'text'>[]
    return rows.map(({ ecosystem, name, body }) => rowOf(ecosystem, name, body))
  }

  /** What is read or taken away must be in the tables. */
  #settleGathered(key: number): void {
    if (key >= this.#gatheredFrom || this.#gatheredOld.has(key)) this.#flushRows()
  }

  #flushRows(): void {
    this.#packages.flush()
    this.#affected.flush()
    this.#named.flush()
    this.#gatheredFrom = this.#nextAdvisory
    this.#gatheredOld.clear()
  }

  #count(part: number): number {
    return (this.#statements.count.get(part, part, part, part) as { records: number }).records
  }
}

interface NewRecord {
  readonly key: number
  readonly part: number
  readonly id: string
  readonly names: readonly string[]
  readonly isImported: boolean
  readonly head: string
  readonly rows: readonly Row[]
  readonly modifiedAt: number
  readonly digest: string
}
interface DigestRow {
  readonly part: number
  readonly records: number
  readonly lines: Uint8Array
}
interface OldRecord {
  readonly key: number
  readonly id: string
  readonly head: string
  readonly modified_at: number
  readonly is_imported: number
  readonly digest: string
}

function columnsOf(records: readonly NewRecord[]): SqliteValue[] {
  const values: SqliteValue[] = []
  for (const { key, part, id, modifiedAt, isImported, digest, head } of records) {
    values.push(key, part, id, modifiedAt, isImported ? 1 : 0, digest, head)
  }
  return values
}
