import type { Advisory, EpssScore, KevEntry, ProductRelease } from '../core/advisory.js'
import type { SqliteValue } from '../core/sqlite.js'
import { encodeAffected, encodeHead } from './snapshot-codec.js'

/** Where records go: a part of a source. */
export interface Destination {
  readonly source: string
  /** '' where the source has one part only. */
  readonly part: string
  /** What goes of what was there of the part before its first record of this build. */
  readonly goes: 'all' | 'downloaded' | 'none'
  /** Whether they are imported, and not downloaded. */
  readonly isImported: boolean
}

/**
 * Records on their way to who writes them: values one after the other, because a thread takes over a list of plain values in a third
 * of the time that it takes for objects.
 */
export interface RecordBatch {
  readonly destinations: readonly Destination[]
  /** Of each record: its kind, the place of its destination, and what {@link forEachRecord} reads of that kind. */
  readonly values: readonly SqliteValue[]
}

/** An advisory as it is written. */
export interface EncodedAdvisory {
  readonly id: string
  /** In milliseconds since the epoch; null where nobody knows. */
  readonly modifiedAt: number | null
  readonly head: string
  /** Its aliases and what it passes on. */
  readonly names: readonly string[]
  /** Ecosystem, name and body of each of its packages in turn. */
  readonly packages: readonly string[]
}

/** What reads a batch. */
export interface RecordTaker {
  /** A part is renewed, though there may be no record of it. */
  touch(to: Destination): void
  refuse(to: Destination): void
  advisory(to: Destination, advisory: EncodedAdvisory): void
  kev(to: Destination, cve: string, body: string): void
  epss(to: Destination, cve: string, score: EpssScore): void
  release(to: Destination, product: string, release: ProductRelease): void
}

/** A batch is handed over when it has this many values (of some 330 advisories), */
const valuesAtOnce = 4096
/** or this many characters. What is handed over is copied: few large copies cost less than many, and are held in memory. */
const charactersAtOnce = 1024 * 1024

const [touch, refuse, advisory, kev, epss, release] = [0, 1, 2, 3, 4, 5]

/** Gathers records into batches. */
export class BatchGatherer {
  readonly #send: (batch: RecordBatch) => void
  #places = new Map<Destination, number>()
  #values: SqliteValue[] = []
  #characters = 0

  /** @param send takes a batch that is full */
  constructor(send: (batch: RecordBatch) => void) {
    this.#send = send
  }

  touch(to: Destination): void {
    this.#values.push(touch, this.#placeOf(to))
  }

  refuse(to: Destination): void {
    this.#values.push(refuse, this.#placeOf(to))
    this.#flushWhenFull()
  }

  advisory(to: Destination, one: Advisory): void {
    const values = this.#values
    const { aliases, upstream, affected } = one
    const head = encodeHead(one)
    this.#characters += head.length
    values.push(advisory, this.#placeOf(to), one.id, one.modifiedAt, head, aliases.length + upstream.length)
    for (const name of aliases) values.push(name)
    for (const name of upstream) values.push(name)
    values.push(affected.length * 3)
    for (const entry of affected) {
      const body = encodeAffected(entry)
      this.#characters += body.length
      values.push(entry.ecosystem, entry.name, body)
    }
    this.#flushWhenFull()
  }

  kev(to: Destination, { cve, addedOn, dueOn, usedByRansomware }: KevEntry): void {
    this.#values.push(kev, this.#placeOf(to), cve, JSON.stringify([addedOn, dueOn, usedByRansomware]))
    this.#flushWhenFull()
  }

  epss(to: Destination, cve: string, { score, percentile }: EpssScore): void {
    this.#values.push(epss, this.#placeOf(to), cve, score, percentile)
    this.#flushWhenFull()
  }

  release(to: Destination, product: string, one: ProductRelease): void {
    this.#values.push(release, this.#placeOf(to), product, one.release, one.endsOn, one.extendedEndsOn)
    this.#flushWhenFull()
  }

  /** Hands over what there is. */
  flush(): void {
    if (this.#values.length === 0) return
    const batch = { destinations: [...this.#places.keys()], values: this.#values }
    this.clear()
    this.#send(batch)
  }

  /** Forgets what there is. */
  clear(): void {
    this.#places = new Map()
    this.#values = []
    this.#characters = 0
  }

  #flushWhenFull(): void {
    if (this.#values.length >= valuesAtOnce || this.#characters >= charactersAtOnce) this.flush()
  }

  #placeOf(to: Destination): number {
    let place = this.#places.get(to)
    if (place === undefined) {
      place = this.#places.size
      this.#places.set(to, place)
    }
    return place
  }
}

/** Hands the records of a batch to `taker`, in their order. */
export function forEachRecord({ destinations, values }: RecordBatch, taker: RecordTaker): void {
  const reader = new ValueReader(values)
  while (!reader.isAtEnd) {
    const kind = reader.number()
    const to = destinations[reader.number()]
    if (to === undefined) throw new Error('a record goes nowhere')
    if (kind === advisory) taker.advisory(to, readAdvisory(reader))
    else if (kind === epss) taker.epss(to, reader.text(), { score: reader.number(), percentile: reader.number() })
    else if (kind === kev) taker.kev(to, reader.text(), reader.text())
    else if (kind === release) taker.release(to, reader.text(), readRelease(reader))
    else if (kind === refuse) taker.refuse(to)
    else taker.touch(to)
  }
}

function readAdvisory(reader: ValueReader): EncodedAdvisory {
  return {
    id: reader.text(),
    modifiedAt: reader.next() as number | null,
    head: reader.text(),
    names: reader.list(),
    packages: reader.list(),
  }
}

function readRelease(reader: ValueReader): ProductRelease {
  const [name, endsOn, extendedEndsOn] = [reader.text(), reader.next(), reader.next()]
  return { release: name, endsOn: endsOn as string | null, extendedEndsOn: extendedEndsOn as string | null }
}

/** A class, and no functions made for each batch: V8 would compile those anew each time. */
class ValueReader {
  readonly #values: readonly SqliteValue[]
  #at = 0

  constructor(values: readonly SqliteValue[]) {
    this.#values = values
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#values.length
  }

  next(): SqliteValue {
    return this.#values[this.#at++] ?? null
  }

  number(): number {
    return this.next() as number
  }

  text(): string {
    return this.next() as string
  }

  /** As many as the first says. */
  list(): string[] {
    const from = this.#at + 1
    this.#at = from + this.number()
    return this.#values.slice(from, this.#at) as string[]
  }
}
