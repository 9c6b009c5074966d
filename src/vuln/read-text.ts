import { Fault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { isSqlite, sqliteFault } from './binary-content.js'
import { jsonMembers } from './json-members.js'

/** Where the documents of a text go. */
export interface DocumentTaker {
  /** A parsed value, or a line of a text that is neither JSON nor YAML. */
  take(value: unknown): void
  /** Whether a value is of a source whose large objects are read member by member. */
  isDivisible(sample: unknown): boolean
  /** Whether a value, or a line, is how a document of some source begins. */
  isKnown(sample: unknown): boolean
  /** Waits for whoever takes what documents say; null where nobody need wait. */
  settle(): Promise<void> | null
  /** A line that cannot be read. */
  refuse(reason: string): void
}

/** Beyond this size an object is looked at for its first member before it is parsed whole. */
const wholeBytes = 8 * 1024 * 1024
/** What a text is, is told by this much of it: of an indentation, a word at least is seen. */
const headBytes = 8 * 1024
/** Blanks before the first word that are kept: YAML counts them. More than this is no indentation. */
const indentBytes = 4 * 1024
const nothing = Buffer.alloc(0)

/**
 * Reads a text as it comes: JSON lines, one JSON document (a list of records too), YAML, or lines of CSV. What it is, is told
 * by how it begins; the name helps with YAML only.
 */
export class TextReader {
  readonly #name: string
  readonly #taker: DocumentTaker
  #mode: Mode = 'undecided'
  #kept: Buffer[] = []
  #keptBytes = 0
  /** Blanks that came before all else, the indentation among them. Counted, not kept. */
  #blankBytes = 0
  #indent: Buffer = nothing
  #line = 0
  #isSkipping = false

  constructor(name: string, taker: DocumentTaker) {
    this.#name = name
    this.#taker = taker
  }

  /** Bytes that it holds until more has come. Few, unless one line or one document is large. */
  get heldBytes(): number {
    return this.#keptBytes + this.#indent.length
  }

  /** @throws Fault `too-large`; `broken-answer` for what begins as no text does */
  push(chunk: Buffer): void {
    if (this.#mode === 'json-lines' || this.#mode === 'lines') {
      this.#takeLines(chunk)
      return
    }
    const content = this.#keptBytes === 0 ? this.#withoutBlanks(chunk) : chunk
    this.#keep(content)
    if (this.#mode !== 'undecided' || !(content.includes(10) || this.#keptBytes > limits.advisoryRecordBytes)) return
    const bytes = this.#joined()
    const mode = this.#modeOf(bytes)
    // What other alphabets take for blanks. Without an end, all of it would be joined anew with every chunk.
    if (mode === 'undecided' && bytes.length > headBytes) throw holdsNothing()
    this.#mode = mode
    this.#kept = [bytes]
    if (mode === 'json-lines' || mode === 'lines') {
      this.#forget()
      this.#takeLines(bytes)
    }
  }

  /** @throws Fault `broken-answer` for a text that is nothing of this, or that breaks off */
  async end(): Promise<void> {
    const bytes = this.#joined()
    const isEmpty = bytes.length === 0 && this.#blankBytes === 0
    this.#forget()
    if (this.#mode === 'undecided') this.#mode = this.#modeOf(bytes)
    if (this.#mode === 'json-lines' || this.#mode === 'lines') {
      this.#splitLines(bytes)
    } else if (this.#mode === 'yaml') await this.#takeYaml(bytes)
    else if (this.#mode === 'json') await this.#takeJson(bytes)
    else if (!isEmpty) throw holdsNothing()
  }

  /** What a text begins with, from the line of its first word on. A small file may unpack to any number of blanks. */
  #withoutBlanks(chunk: Buffer): Buffer {
    let end = 0
    let lineStart = 0
    for (; end < chunk.length && isBlank(chunk[end]); end++) {
      if (chunk[end] !== 10) continue
      this.#line++
      lineStart = end + 1
    }
    this.#blankBytes += end
    const before = lineStart > 0 ? nothing : this.#indent
    const indent = chunk.subarray(lineStart, end)
    const hasWord = end < chunk.length
    // As nearly all do: nothing is copied.
    if (hasWord && before.length === 0 && indent.length <= indentBytes) return chunk.subarray(lineStart)
    const kept = Buffer.concat([before, indent.subarray(0, indentBytes - before.length)])
    this.#indent = hasWord ? nothing : kept
    return hasWord ? Buffer.concat([kept, chunk.subarray(end)]) : nothing
  }

  #modeOf(bytes: Buffer): Mode {
    if (isSqlite(bytes)) throw sqliteFault(bytes)
    const head = bytes.toString('utf8', 0, headBytes)
    const mode = modeOf(bytes, head, this.#name)
    // A table with a damaged line is still one. What is binary has no line that anybody knows.
    const isText = mode !== 'lines' || !head.includes('\0') || head.split('\n').some((line) => this.#isKnown(line))
    if (!isText) throw new Fault('broken-answer', 'it is binary, or text in another encoding than UTF-8')
    return mode
  }

  #isKnown(line: string): boolean {
    return this.#taker.isKnown(line.replace(/^\ufeff/, ''))
  }

  /** As far as they are whole: what follows the last end of a line waits for the rest of it. */
  #takeLines(chunk: Buffer): void {
    const end = chunk.lastIndexOf(10)
    if (end >= 0) {
      this.#kept.push(chunk.subarray(0, end))
      const lines = this.#kept.length === 1 ? chunk.subarray(0, end) : Buffer.concat(this.#kept)
      this.#forget()
      this.#splitLines(lines)
    }
    const rest = chunk.subarray(end + 1)
    if (!this.#isSkipping && rest.length > 0) this.#keep(rest)
    if (this.#keptBytes <= limits.advisoryRecordBytes) return
    this.#forget()
    this.#isSkipping = true
    this.#taker.refuse(`line ${this.#line + 1} is longer than ${limits.advisoryRecordBytes} bytes`)
  }

  /** Whole lines, without the end of the last one. */
  #splitLines(bytes: Buffer): void {
    if (this.#mode === 'lines') {
      // A million short ones: a slice of a text costs nothing.
      for (const text of bytes.toString('utf8').split('\n')) this.#endLine(text)
      return
    }
    // Each for itself: V8 decodes and parses what is ASCII, as most records are, in half the time.
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#endLine(bytes.toString('utf8', start, end))
      start = end + 1
    }
    this.#endLine(bytes.toString('utf8', start))
  }

  #endLine(text: string): void {
    this.#line++
    if (this.#isSkipping) this.#isSkipping = false
    else if (text.length > limits.advisoryRecordBytes) this.#taker.refuse(`line ${this.#line} is too long`)
    else if (this.#mode === 'lines') this.#taker.take(text.replace(/^\ufeff/, ''))
    else if (text.length > 1 || text.trim() !== '') {
      const value = parse(text)
      if (value !== undefined) this.#taker.take(value)
      else if (text.trim() !== '') this.#taker.refuse(`line ${this.#line} is no JSON`)
    }
  }

  async #takeJson(bytes: Buffer): Promise<void> {
    if (bytes.length > wholeBytes && (await this.#takeMembers(bytes))) return
    const value = parse(bytes.toString('utf8'))
    if (value === undefined) throw new Fault('broken-answer', 'it is no whole JSON')
    if (Array.isArray(value)) for (const one of value) await this.#takeOne(one)
    else this.#taker.take(value)
  }

  async #takeOne(value: unknown): Promise<void> {
    this.#taker.take(value)
    await this.#taker.settle()
  }

  /** Whether it was of a source that is read so. */
  async #takeMembers(bytes: Buffer): Promise<boolean> {
    let isFirst = true
    for (const text of jsonMembers(bytes)) {
      const value = text.length > wholeBytes ? undefined : parse(text)
      if (isFirst && !this.#taker.isDivisible(value)) return false
      isFirst = false
      if (value === undefined) throw new Fault('broken-answer', 'it is no whole JSON')
      await this.#takeOne(value)
    }
    return !isFirst
  }

  async #takeYaml(bytes: Buffer): Promise<void> {
    if (bytes.length > limits.advisoryRecordBytes) throw tooLarge(limits.advisoryRecordBytes)
    const { parseSecdbYaml } = await import('./secdb-yaml.js')
    this.#taker.take(await parseSecdbYaml(bytes.toString('utf8')))
  }

  #joined(): Buffer {
    const [only] = this.#kept
    return this.#kept.length === 1 && only !== undefined ? only : Buffer.concat(this.#kept)
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > 0) this.#kept.push(bytes)
    this.#keptBytes += bytes.length
    if (this.#blankBytes + this.#keptBytes > limits.advisoryDocumentBytes) throw tooLarge(limits.advisoryDocumentBytes)
  }

  #forget(): void {
    this.#kept = []
    this.#keptBytes = 0
    this.#blankBytes = 0
  }
}

type Mode = 'undecided' | 'json-lines' | 'lines' | 'json' | 'yaml'

function modeOf(bytes: Buffer, head: string, name: string): Mode {
  const start = head.replace(/^\ufeff/, '').trimStart()
  if (start === '') return 'undecided'
  if (/^[{[]/.test(start)) return isLines(bytes) ? 'json-lines' : 'json'
  if (/\.ya?ml$/i.test(name) || /^(?:---\s|[\w-]+:(?:\s|$))/.test(start)) return 'yaml'
  return 'lines'
}

/** Whether the first line is a value of its own. An object over many lines is not whole after its first. */
function isLines(bytes: Buffer): boolean {
  const from = bytes.findIndex((byte) => byte > 0x20)
  const end = bytes.indexOf(10, Math.max(0, from))
  return end >= 0 && end - from > 1 && parse(bytes.toString('utf8', from, end)) !== undefined
}

/** undefined for what is no JSON. A value that is nested too deeply for the parser is none either. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch {
    return undefined
  }
}

/** What JSON takes for a blank (RFC 8259, 2). */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function holdsNothing(): Fault {
  return new Fault('broken-answer', 'it holds nothing')
}

function tooLarge(bytes: number): Fault {
  return new Fault('too-large', `a document is larger than ${bytes} bytes`)
}
