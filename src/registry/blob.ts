import type { Readable } from 'node:stream'
import type { Digest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { formatRepository, type Repository } from '../core/reference.js'
import { networkFault } from '../http/network-fault.js'
import type { HttpResponse } from '../http/send.js'
import type { Access } from './access.js'
import { answerFault } from './answer-fault.js'
import type { Call } from './request.js'

/** A blob as its descriptor says. */
export interface BlobReference {
  readonly digest: Digest
  /** Null where nothing says so. */
  readonly sizeBytes: number | null
}

/** How often a broken body is gone on with: OCI distribution v1.1.1, "Pulling blobs", Range. */
const maxResumes = 3

/** A part of a blob, RFC 9110 section 14.1.2: from `first` to `last`, both inclusive, or the last `suffix` bytes. */
export type BlobRange = { readonly first: number; readonly last: number | null } | { readonly suffix: number }

/** A blob that the registry has begun to send. */
export interface OpenedBlob {
  /** Of the whole blob; null where the registry does not say. */
  readonly totalBytes: number | null
  /** What comes of it, both ends inclusive; null for all of it: a registry may know no ranges. */
  readonly part: { readonly first: number; readonly last: number } | null
  readonly bytes: AsyncIterable<Buffer>
  /** Frees the connection, where the bytes are not read to their end. */
  close(): void
}

/**
 * The bytes of a blob, as they come. A connection that breaks is gone on with where it broke, where the registry knows Range.
 * Nothing is hashed here: who reads compares with the digest. More bytes than the descriptor says are refused.
 * @throws Fault as `Registry.blob`
 */
export async function* blob(
  access: Access,
  repository: Repository,
  { digest, sizeBytes }: BlobReference,
  call: Call,
): AsyncIterable<Buffer> {
  const what = nameOf(repository, digest)
  const response = await request(access, repository, digest, null, call)
  if (response.status !== 200 || response.stream === undefined) throw refusal(access, repository, response, what)
  yield* read(access, repository, { digest, first: 0, lengthBytes: sizeBytes }, response.stream, call)
}

/**
 * Opens a blob, or a part of it, and says how large it is before the first byte.
 * @throws Fault as `Registry.openBlob`
 */
export async function openBlob(
  access: Access,
  repository: Repository,
  digest: Digest,
  range: BlobRange | null,
  call: Call,
): Promise<OpenedBlob> {
  const what = nameOf(repository, digest)
  const response = await request(access, repository, digest, range === null ? null : rangeHeader(range), call)
  const { status, stream } = response
  if (stream === undefined) throw refusal(access, repository, response, what)
  const close = () => {
    stream.destroy()
  }
  try {
    requireIdentity(response, what)
    if (status === 206 && range !== null) {
      const { first, last, totalBytes } = readContentRange(response.headers['content-range'], what)
      const lengthBytes = last - first + 1
      const bytes = read(access, repository, { digest, first, lengthBytes }, stream, call)
      return { totalBytes, part: { first, last }, bytes, close }
    }
    if (status !== 200) throw new Fault('broken-answer', `${repository.host} answers ${status} for ${what}`)
  } catch (error) {
    close()
    throw error
  }
  const totalBytes = lengthOf(response)
  const bytes = read(access, repository, { digest, first: 0, lengthBytes: totalBytes }, stream, call)
  return { totalBytes, part: null, bytes, close }
}

/**
 * How many bytes a blob has: one HEAD; one byte by GET where that is refused, as signed addresses of another method are.
 * Null where the registry does not say.
 * @throws Fault as `Registry.openBlob`
 */
export async function blobSize(
  access: Access,
  repository: Repository,
  digest: Digest,
  call: Call,
): Promise<number | null> {
  const what = nameOf(repository, digest)
  const head = { method: 'HEAD', path: `blobs/${digest}`, accept: '*/*', maxBodyBytes: 0 } as const
  const response = await access.send(repository, head, call)
  const size = response.status === 200 ? lengthOf(response) : null
  if (size !== null) return size
  if (response.status === 404) throw missing(what)
  if (response.status === 429 || response.status >= 500) throw refusal(access, repository, response, what)
  const { totalBytes, close } = await openBlob(access, repository, digest, { first: 0, last: 0 }, call)
  close()
  return totalBytes
}

interface Span {
  readonly digest: Digest
  readonly first: number
  /** Null where nothing says so. */
  readonly lengthBytes: number | null
}

async function* read(
  access: Access,
  repository: Repository,
  { digest, first, lengthBytes }: Span,
  opened: Readable,
  call: Call,
): AsyncGenerator<Buffer> {
  const what = nameOf(repository, digest)
  let stream = opened
  let offset = 0
  try {
    for (let resumes = 0; ; resumes++) {
      try {
        for await (const chunk of stream as AsyncIterable<Buffer>) {
          offset += chunk.length
          call.cost.bytes += chunk.length
          if (lengthBytes !== null && offset > lengthBytes) {
            throw new Fault('broken-answer', `${what} is longer than the ${lengthBytes} bytes that were announced`)
          }
          yield chunk
        }
        if (lengthBytes === null || offset === lengthBytes) return
        const came = `${offset} of ${lengthBytes} bytes`
        throw new Fault('unreachable', `${repository.host} broke off after ${came} of ${what}`)
      } catch (error) {
        const fault = isFault(error) ? error : networkFault(error, repository.host)
        if (!isFault(fault, 'unreachable', 'timeout') || resumes >= maxResumes) throw fault
      }
      stream.destroy()
      const last = lengthBytes === null ? '' : first + lengthBytes - 1
      stream = await goOn(access, repository, digest, `bytes=${first + offset}-${last}`, call)
    }
  } finally {
    stream.destroy()
  }
}

async function goOn(
  access: Access,
  repository: Repository,
  digest: Digest,
  range: string,
  call: Call,
): Promise<Readable> {
  const what = nameOf(repository, digest)
  const response = await request(access, repository, digest, range, call)
  if (response.stream === undefined) throw refusal(access, repository, response, what)
  const isWhole = range.startsWith('bytes=0-') && response.status === 200
  if (isWhole || response.status === 206) return response.stream
  response.stream.destroy()
  const { host } = repository
  throw new Fault('broken-answer', `${host} answers ${response.status} for ${what}, which was to be gone on with`)
}

async function request(
  access: Access,
  repository: Repository,
  digest: Digest,
  range: string | null,
  call: Call,
): Promise<HttpResponse> {
  return await access.send(
    repository,
    {
      ...{ method: 'GET', path: `blobs/${digest}`, accept: '*/*', maxBodyBytes: 0, isStreamed: true },
      ...(range !== null && { range }),
    },
    { ...call, priority: call.priority ?? 'blob' },
  )
}

function refusal(access: Access, repository: Repository, response: HttpResponse, what: string): Fault {
  const { status, headers } = response
  if (status === 416) {
    const size = /^bytes \*\/(\d{1,15})$/.exec(headers['content-range'] ?? '')?.[1]
    return new Fault('invalid-range', `${what} has no such bytes`, {
      ...(size !== undefined && { data: { sizeBytes: Number(size) } }),
    })
  }
  const fault = answerFault(response, what, access.pausedUntil(repository.host))
  // A store of blobs elsewhere answers 404 in its own words.
  return status === 404 && !isFault(fault, 'repository-not-found') ? missing(what) : fault
}

function missing(what: string): Fault {
  return new Fault('blob-not-found', `there is no ${what}`)
}

function requireIdentity(response: HttpResponse, what: string): void {
  const encoding = response.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new Fault('broken-answer', `${what} came compressed, which was not asked for`)
}

function readContentRange(header: string | undefined, what: string) {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new Fault('broken-answer', `a part of ${what} came without saying which`)
  }
  return { first: Number(first), last: Number(last), totalBytes: total === '*' ? null : Number(total) }
}

function rangeHeader(range: BlobRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`
}

function lengthOf({ headers }: HttpResponse): number | null {
  const text = headers['content-length'] ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

function nameOf(repository: Repository, digest: Digest): string {
  return `${formatRepository(repository)}@${digest}`
}
