import { createHash, type Hash, hash } from 'node:crypto'
import type { Advisory } from '../core/advisory.js'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from '../core/sqlite.js'
import { RowBatch, rowsAtOnce } from './row-batch.js'
import { encodeAffected, encodeHead } from './snapshot-codec.js'
import { rowsPerAdvisory } from './snapshot-schema.js'
import type { AdvisorySink, AdvisorySource } from './sources/advisory-source.js'

/** Packages whose keys are remembered. Records come grouped: most name a package that was named shortly before. */
const rememberedPackages = 50_000
/** Stands for "at no known time" in a column that is compared. */
const noTime = -1

/** A part of a source, while it is written to. */
interface OpenPart {
  readonly key: number
  refused: number
  isTouched: boolean
}

/** Writes records into the tables of a snapshot. */
export class SnapshotWriter {
  readonly #database: SqliteDatabase
  readonly #now: number
  readonly #statements: Statements
  readonly #parts = new Map<string, OpenPart>()
  readonly #packages = new Map<string, number>()
  readonly #affected: RowBatch
  readonly #named: RowBatch
  #nextAdvisory: number
  #nextPackage: number
  readonly #advisories: RowBatch
  readonly #newPackages: RowBatch
  /** Whether every package that there is is remembered: then one that is not is new. */
  #knowsPackages: boolean
  /** Advisories that are not in the table yet, by part and id. */
  readonly #pending = new Map<string, NewRecord>()
  /** Rows of advisories from this one on may still be gathered, */
  #gatheredFrom: number
  /** and those of these. */
  readonly #gatheredOld = new Set<number>()
  #isDeleted = false

  constructor(database: SqliteDatabase, now: number) {
    this.#database = database
    this.#now = now
    this.#statements = prepare(database)
    this.#advisories = new RowBatch(
      database,
      'insert or ignore into advisory (key, part, id, modified_at, is_imported, digest, head) values',
      7,
    )
    this.#affected = new RowBatch(database, 'insert into affected (key, package, body) values', 3)
    this.#named = new RowBatch(database, 'insert into named (key, name) values', 2)
    this.#newPackages = new RowBatch(database, 'insert into package (key, ecosystem, name) values', 3)
    const { advisory, package: next } = this.#statements.nextKeys.get() as { advisory: number; package: number }
    this.#nextAdvisory = advisory
    this.#nextPackage = next
    this.#knowsPackages = next === 1
    this.#gatheredFrom = advisory
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
    const nextPackage = this.#nextPackage
    return () => {
      this.#pending.clear()
      this.#newPackages.clear()
      this.#knowsPackages = nextPackage === 1
      this.#affected.clear()
      this.#named.clear()
      this.#gatheredOld.clear()
      this.#parts.clear()
      for (const [name, part] of parts) this.#parts.set(name, part)
      this.#packages.clear()
      this.#nextAdvisory = next
      this.#nextPackage = nextPackage
      this.#gatheredFrom = next
    }
  }

  sink(source: AdvisorySource, { renews }: { readonly renews?: { readonly part: string | null } }): AdvisorySink {
    const isRenewed = renews !== undefined
    const opened = (part: string | null) => {
      const open = this.#open(source.name, part)
      if (!open.isTouched) this.#touch(open, source.unit === 'document' ? 'all' : isRenewed ? 'downloaded' : 'none')
      return open
    }
    if (renews !== undefined) opened(renews.part)
    const isWanted = (part: string | null) => renews === undefined || renews.part === null || renews.part === part
    return {
      advisory: (part, advisory) => {
        if (isWanted(part)) this.#add(opened(part).key, advisory, !isRenewed)
      },
      kev: ({ cve, addedOn, dueOn, usedByRansomware }) => {
        const body = JSON.stringify([addedOn, dueOn, usedByRansomware])
        this.#statements.kev.run(cve, opened(null).key, body)
      },
      epss: (cve, { score, percentile }) => {
        this.#statements.epss.run(cve, opened(null).key, score, percentile)
      },
      release: (product, { release, endsOn, extendedEndsOn }) => {
        this.#statements.release.run(product, release, opened(product).key, endsOn, extendedEndsOn)
      },
      refuse: (part) => {
        opened(isWanted(part) ? part : (renews?.part ?? null)).refused++
      },
    }
  }

  validators(source: string, part: string | null): string | null {
    const row = this.#statements.findPart.get(source, part ?? '') as { validators: string | null } | undefined
    return row?.validators ?? null
  }

  downloaded(source: string, part: string | null, validators: string | null): void {
    const { key } = this.#open(source, part)
    this.#statements.downloaded.run(this.#now, validators, key)
  }

  failed(source: string, part: string | null, failure: string): void {
    const { key } = this.#open(source, part)
    this.#statements.failed.run(failure, key)
  }

  records(source: string, part: string | null): number {
    return this.#count(this.#open(source, part).key)
  }

  /** Counts, hashes, and takes away what nothing refers to any more. */
  finish(): void {
    if (this.#isDeleted) this.#database.exec('delete from package where key not in (select package from affected)')
    const hashes = new Map<number, Hash>()
    for (const { key, isTouched } of this.#parts.values()) if (isTouched) hashes.set(key, createHash('sha256'))
    for (const row of this.#statements.digests.iterate() as Iterable<{ part: number; id: string; digest: string }>) {
      hashes.get(row.part)?.update(`${row.id}\0${row.digest}\n`)
    }
    for (const { key, refused, isTouched } of this.#parts.values()) {
      const whole = hashes.get(key)
      if (!isTouched || whole === undefined) continue
      const { kevs, scores, releases, finishPart } = this.#statements
      for (const statement of [kevs, scores, releases]) {
        for (const row of statement.iterate(key)) whole.update(`${JSON.stringify(row)}\n`)
      }
      finishPart.run(this.#count(key), refused, this.#now, whole.digest(), key)
    }
  }

  #open(source: string, part: string | null): OpenPart {
    const name = `${source}\0${part ?? ''}`
    let open = this.#parts.get(name)
    if (open === undefined) {
      this.#statements.addPart.run(source, part ?? '')
      const { key } = this.#statements.findPart.get(source, part ?? '') as { key: number }
      open = { key, refused: 0, isTouched: false }
      this.#parts.set(name, open)
    }
    return open
  }

  #touch(part: OpenPart, goes: 'all' | 'downloaded' | 'none'): void {
    part.isTouched = true
    if (goes === 'none') return
    const rows = this.#statements.ofPart.all(part.key, goes === 'all' ? 1 : 0) as { key: number }[]
    for (const { key } of rows) this.#remove(key)
    for (const table of ['kev', 'epss', 'release']) {
      this.#database.prepare(`delete from ${table} where part = ?`).run(part.key)
    }
  }

  #add(part: number, advisory: Advisory, isImported: boolean): void {
    const head = encodeHead(advisory)
    const rows = rowsOf(advisory)
    const record: NewRecord = {
      key: this.#nextAdvisory++,
      part,
      names: advisory,
      isImported,
      head,
      rows,
      modifiedAt: advisory.modifiedAt ?? noTime,
      digest: digestOf(head, rows),
    }
    const name = `${part} ${advisory.id}`
    if (this.#pending.has(name)) this.#insertPending()
    this.#pending.set(name, record)
    if (this.#pending.size >= rowsAtOnce) this.#insertPending()
  }

  /** All at once, and where that shows that some are there already, one by one. */
  #insertPending(): void {
    const records = [...this.#pending.values()]
    this.#pending.clear()
    if (records.length === 0) return
    const added = this.#advisories.insert(records.flatMap(columnsOf))
    const isAllNew = added === records.length
    for (const record of records) {
      const old = isAllNew ? null : (this.#statements.find.get(record.part, record.names.id) as OldRecord)
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
    this.#statements.renew.run(next.modifiedAt, digestOf(head, sorted([...oldRows, ...added])), head, old.key)
    if (head !== old.head) {
      this.#removeNames(old.key)
      this.#addNames(old.key, next.names)
    }
    this.#addRows(old.key, oldRows.length, added)
  }

  #addNames(key: number, { aliases, upstream }: Names): void {
    if (key < this.#gatheredFrom) this.#gatheredOld.add(key)
    let at = key * rowsPerAdvisory
    for (const name of aliases) this.#named.add(at++, name)
    for (const name of upstream) this.#named.add(at++, name)
  }

  /** @param from how many rows the advisory has already */
  #addRows(key: number, from: number, rows: readonly Row[]): void {
    if (key < this.#gatheredFrom) this.#gatheredOld.add(key)
    let at = key * rowsPerAdvisory + from
    const end = (key + 1) * rowsPerAdvisory
    for (const { ecosystem, name, body } of rows) {
      if (at < end) this.#affected.add(at++, this.#package(ecosystem, name), body)
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
    this.#newPackages.flush()
    this.#affected.flush()
    this.#named.flush()
    this.#gatheredFrom = this.#nextAdvisory
    this.#gatheredOld.clear()
  }

  #package(ecosystem: string, name: string): number {
    const full = `${ecosystem}\0${name}`
    let key = this.#packages.get(full)
    if (key === undefined) {
      key = this.#addPackage(ecosystem, name)
      if (this.#packages.size >= rememberedPackages) {
        this.#newPackages.flush()
        this.#packages.clear()
        this.#knowsPackages = false
      }
      this.#packages.set(full, key)
    }
    return key
  }

  #addPackage(ecosystem: string, name: string): number {
    if (this.#knowsPackages) {
      this.#newPackages.add(this.#nextPackage, ecosystem, name)
      return this.#nextPackage++
    }
    const { changes } = this.#statements.addPackage.run(this.#nextPackage, ecosystem, name)
    if (Number(changes) === 1) return this.#nextPackage++
    return (this.#statements.findPackage.get(ecosystem, name) as { key: number }).key
  }

  #count(part: number): number {
    return (this.#statements.count.get(part, part, part, part) as { records: number }).records
  }
}

interface Row {
  readonly ecosystem: string
  readonly name: string
  readonly body: string
  /** All three: by it rows are compared and hashed. */
  readonly text: string
}
interface Names {
  readonly id: string
  readonly aliases: readonly string[]
  readonly upstream: readonly string[]
}
interface NewRecord {
  readonly key: number
  readonly part: number
  readonly names: Names
  readonly isImported: boolean
  readonly head: string
  readonly rows: readonly Row[]
  readonly modifiedAt: number
  readonly digest: string
}
interface OldRecord {
  readonly key: number
  readonly id: string
  readonly head: string
  readonly modified_at: number
  readonly is_imported: number
  readonly digest: string
}
type Statements = Readonly<Record<keyof typeof sql, SqliteStatement>>

const sql = {
  nextKeys: `select (select ifnull(max(key), 0) + 1 from advisory) as advisory,
    (select ifnull(max(key), 0) + 1 from package) as package`,
  addPart: 'insert or ignore into part (source, part) values (?, ?)',
  findPart: 'select key, validators from part where source = ? and part = ?',
  downloaded: 'update part set fetched_at = ?, validators = ?, failure = null where key = ?',
  failed: 'update part set failure = ? where key = ?',
  finishPart: 'update part set records = ?, refused = ?, fetched_at = ?, failure = null, digest = ? where key = ?',
  find: 'select key, id, head, modified_at, is_imported, digest from advisory where part = ? and id = ?',
  isDownloaded: 'update advisory set is_imported = 0 where key = ?',
  renew: 'update advisory set modified_at = ?, digest = ?, head = ? where key = ?',
  remove: 'delete from advisory where key = ?',
  ofPart: 'select key from advisory where part = ? and is_imported <= ?',
  removeNames: 'delete from named where key >= ? and key < ?',
  addPackage: 'insert or ignore into package (key, ecosystem, name) values (?, ?, ?)',
  findPackage: 'select key from package where ecosystem = ? and name = ?',
  removeAffected: 'delete from affected where key >= ? and key < ?',
  rows: `select package.ecosystem, package.name, affected.body from affected
    join package on package.key = affected.package where affected.key >= ? and affected.key < ?`,
  kev: `insert into kev (cve, part, body) values (?, ?, ?)
    on conflict do update set body = max(body, excluded.body), part = excluded.part`,
  epss: `insert into epss (cve, part, score, percentile) values (?, ?, ?, ?)
    on conflict do update set score = excluded.score, percentile = excluded.percentile, part = excluded.part
    where (excluded.score, excluded.percentile) > (epss.score, epss.percentile)`,
  release: `insert into release (product, release, part, ends_on, extended_ends_on) values (?, ?, ?, ?, ?)
    on conflict do update set ends_on = excluded.ends_on, extended_ends_on = excluded.extended_ends_on, part = excluded.part
    where (ifnull(excluded.ends_on, ''), ifnull(excluded.extended_ends_on, ''))
      > (ifnull(release.ends_on, ''), ifnull(release.extended_ends_on, ''))`,
  count: `select (select count(*) from advisory where part = ?) + (select count(*) from kev where part = ?)
    + (select count(*) from epss where part = ?) + (select count(*) from release where part = ?) as records`,
  digests: 'select part, id, digest from advisory order by id',
  kevs: 'select cve, body from kev where part = ? order by cve',
  scores: 'select cve, score, percentile from epss where part = ? order by cve',
  releases: 'select product, release, ends_on, extended_ends_on from release where part = ? order by product, release',
} as const

function prepare(database: SqliteDatabase): Statements {
  const entries = Object.entries(sql).map(([name, text]) => [name, database.prepare(text)])
  return Object.fromEntries(entries) as Record<keyof typeof sql, SqliteStatement>
}

function columnsOf({ key, part, names, modifiedAt, isImported, digest, head }: NewRecord): SqliteValue[] {
  return [key, part, names.id, modifiedAt, isImported ? 1 : 0, digest, head]
}

function rowsOf({ affected }: Advisory): Row[] {
  const rows = affected.map((one) => rowOf(one.ecosystem, one.name, encodeAffected(one)))
  return rows.length > 1 ? sorted(rows) : rows
}

function rowOf(ecosystem: string, name: string, body: string): Row {
  return { ecosystem, name, body, text: `\0${ecosystem}\0${name}\0${body}` }
}

/** Of rows in one order, so that the same records give the same. */
function digestOf(head: string, rows: readonly Row[]): string {
  let text = head
  for (const row of rows) text += row.text
  return hash('sha256', text, 'base64url')
}

/** In one order, each once. */
function sorted(rows: Row[]): Row[] {
  rows.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
  return rows.filter(({ text }, at) => text !== rows[at - 1]?.text)
}
