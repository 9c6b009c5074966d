import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock, Random } from '../core/clock.js'
import type { Cost } from '../core/cost.js'
import { Fault, isFault } from '../core/fault.js'
import { limits } from '../core/limits.js'
import { redactUrl } from '../core/secret.js'
import { parseNetworks } from '../http/guard.js'
import { Lane } from '../http/lane.js'
import { networkFault } from '../http/network-fault.js'
import { createHttp, type HttpResponse } from '../http/send.js'
import { readTlsOptions } from '../http/tls.js'

/** A file that was downloaded. */
export interface DownloadedFile {
  readonly path: string
  /** What it can be asked for with, when it has changed: {@link Downloader.fetch}. Null where the server gives nothing of the kind. */
  readonly validators: string | null
  /** Takes the file away. */
  remove(): void
}

/** How one file is downloaded. */
export interface DownloadCall {
  readonly cost: Cost
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes that are there, and those that there will be; null where the server does not say. */
  readonly onProgress?: ((doneBytes: number, ofBytes: number | null) => void) | undefined
}

/** Downloads files of advisory data. */
export interface Downloader {
  /**
   * Downloads a file; null where it is as it was. What a broken-off download left is gone on with (RFC 9110, "Range
   * Requests"), also by a later process, as long as the server says that it is the same file.
   * @param validators what the last download gave; null for none
   * @throws Fault `unreachable`, `timeout`, `tls`, `broken-answer`, `denied`, `rate-limited`, `too-large`, `disk-full`, `cancelled` …
   */
  fetch(url: URL, validators: string | null, call: DownloadCall): Promise<DownloadedFile | null>
  close(): void
}

/** What {@link createDownloader} is made of. */
export interface DownloaderOptions {
  /** Where files lie until they are read. */
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  readonly environment: Readonly<Record<string, string | undefined>>
  /** `network.allow` of the configuration. */
  readonly allow: readonly string[]
}

/** How often a broken body is gone on with. */
const maxResumes = 5
/** How long a host that asks us to wait is waited for. */
const maxWaitMs = 5 * 60_000
const slots = 4

/**
 * Opens nothing yet.
 * @throws Fault `invalid-config`
 */
export function createDownloader(options: DownloaderOptions): Downloader {
  const { folder, clock, random, environment } = options
  const allow = parseNetworks(options.allow)
  const http = createHttp({ clock, random, environment, allow, connections: slots })
  const tls = readTlsOptions({}, environment)
  const lanes = new Map<string, Lane>()
  const laneOf = ({ host }: URL) => {
    const lane = lanes.get(host) ?? new Lane(host, slots, clock, random)
    lanes.set(host, lane)
    return lane
  }
  const send = (url: URL, headers: Readonly<Record<string, string>>, { cost, signal }: DownloadCall) =>
    http.send({
      ...{ method: 'GET', url, lane: laneOf(url), priority: 'blob', maxWaitMs, namedBy: 'user', tls, cost, signal },
      ...{ headers: { accept: '*/*', 'user-agent': 'tidemark', ...headers }, maxBodyBytes: 0, isStreamed: true },
    })
  return {
    async fetch(url, validators, call) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const partial = openPartial(folder, url)
      for (let resumes = 0; ; resumes++) {
        const offset = partial.resumable()
        const conditions = offset > 0 ? partial.resumeHeaders() : conditionHeaders(validators)
        const response = await send(url, conditions, call)
        if (response.status === 304) return null
        if (response.status === 416 && offset > 0) {
          partial.remove()
          continue
        }
        if (response.stream === undefined) throw answerFault(url, response)
        const start = startOf(response, offset)
        const given = validatorsOf(response)
        if (start === 0) partial.begin(given)
        try {
          await save(response.stream, { path: partial.path, start, url, ...lengthOf(response, start) }, call)
          return { path: partial.path, validators: given, remove: () => partial.remove() }
        } catch (error) {
          const fault = isFault(error) ? error : networkFault(error, url.host)
          if (call.signal?.aborted) throw new Fault('cancelled', 'cancelled', { cause: error })
          if (!isFault(fault, 'unreachable', 'timeout') || resumes >= maxResumes) throw fault
        } finally {
          response.stream.destroy()
        }
      }
    },
    close: () => http.close(),
  }
}

interface Target {
  readonly path: string
  readonly start: number
  readonly url: URL
  readonly ofBytes: number | null
}

/** What was received is on the disk when the connection breaks: written piece by piece, not through a stream that drops it. */
async function save(stream: Readable, { path, start, url, ofBytes }: Target, call: DownloadCall): Promise<void> {
  let bytes = start
  const file = await open(path, start > 0 ? 'r+' : 'w', 0o600)
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (bytes + chunk.length > limits.advisoryFileBytes) {
        throw new Fault('too-large', `${redactUrl(url)} is larger than ${limits.advisoryFileBytes} bytes`)
      }
      await file.write(chunk, 0, chunk.length, bytes)
      bytes += chunk.length
      call.cost.bytes += chunk.length
      call.onProgress?.(bytes, ofBytes)
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new Fault('disk-full', `no space left for the download of ${redactUrl(url)}`, { cause: error })
    }
    throw error
  } finally {
    await file.close()
  }
  if (ofBytes !== null && bytes !== ofBytes) {
    throw new Fault('unreachable', `${url.host} broke off after ${bytes} of ${ofBytes} bytes of ${redactUrl(url)}`)
  }
}

/** Where the body begins: a server that knows no Range, or whose file is another now, begins anew. */
function startOf({ status, headers, url }: HttpResponse, offset: number): number {
  if (status !== 206) return 0
  const [, start] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? []
  if (Number(start) === offset && offset > 0) return offset
  throw new Fault('broken-answer', `${url.host} sends another part of ${redactUrl(url)} than was asked for`)
}

function lengthOf({ headers }: HttpResponse, start: number): { readonly ofBytes: number | null } {
  const length = Number(headers['content-length'] ?? Number.NaN)
  return { ofBytes: Number.isSafeInteger(length) ? start + length : null }
}

function answerFault(url: URL, { status }: HttpResponse): Fault {
  const data = { status }
  const what = redactUrl(url)
  if (status === 401 || status === 403)
    return new Fault('denied', `${url.host} denies access to ${what} (${status})`, { data })
  if (status === 429) return new Fault('rate-limited', `${url.host} refuses more requests for now (${what})`, { data })
  if (status === 404 || status === 410) {
    return new Fault('broken-answer', `there is no ${what} (${status})`, {
      data,
      fix: 'Check advisories.sources in tidemark.yaml: its url, and its parts.',
    })
  }
  return new Fault('broken-answer', `${url.host} answers ${status} for ${what}`, { data })
}

interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

function validatorsOf({ headers }: HttpResponse): string | null {
  const { etag, 'last-modified': lastModified } = headers
  if (etag === undefined && lastModified === undefined) return null
  return JSON.stringify({ ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) })
}

function parseValidators(text: string | null): Validators {
  if (text === null) return {}
  const { etag, lastModified } = JSON.parse(text) as Record<string, unknown>
  return {
    ...(typeof etag === 'string' && { etag }),
    ...(typeof lastModified === 'string' && { lastModified }),
  }
}

function conditionHeaders(validators: string | null): Record<string, string> {
  const { etag, lastModified } = parseValidators(validators)
  if (etag !== undefined) return { 'if-none-match': etag }
  return lastModified === undefined ? {} : { 'if-modified-since': lastModified }
}

interface Partial {
  readonly path: string
  /** From which byte it can be gone on with; 0 for from the start. */
  resumable(): number
  resumeHeaders(): Record<string, string>
  /** Begins anew with what the server says of the file. */
  begin(validators: string | null): void
  remove(): void
}

/** A download that may have been broken off, and beside it what the server said of the file. */
function openPartial(folder: string, url: URL): Partial {
  const path = join(folder, createHash('sha256').update(url.href).digest('hex').slice(0, 32))
  const saidPath = `${path}.json`
  // RFC 9110, "If-Range": a weak validator does not say that the bytes are the same.
  const condition = () => {
    const { etag, lastModified } = parseValidators(readIfThere(saidPath))
    return etag !== undefined && !etag.startsWith('W/') ? etag : etag === undefined ? lastModified : undefined
  }
  const resumable = () => (condition() === undefined ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0))
  return {
    path,
    resumable,
    resumeHeaders: () => ({ range: `bytes=${resumable()}-`, 'if-range': condition() ?? '' }),
    begin(validators) {
      rmSync(path, { force: true })
      writeFileSync(saidPath, validators ?? '{}', { mode: 0o600 })
    },
    remove() {
      rmSync(path, { force: true })
      rmSync(saidPath, { force: true })
    },
  }
}

/** Null for a file that is not there, or that was not written whole. */
function readIfThere(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8')
    return typeof JSON.parse(text) === 'object' ? text : null
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
