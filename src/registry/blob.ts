import type { Readable } from 'node:stream'
import type { Digest } from '../core/digest.js'
import { Fault, isFault } from '../core/fault.js'
import { formatRepository, type Repository } from '../core/reference.js'
import { networkFault } from '../http/network-fault.js'
import type { Access, Call } from './access.js'
import { answerFault } from './answer-fault.js'

/** A blob as its descriptor says. */
export interface BlobReference {
  readonly digest: Digest
  /** Null where nothing says so. */
  readonly sizeBytes: number | null
}

/** How often a broken body is gone on with: OCI distribution v1.1.1, "Pulling blobs", Range. */
const maxResumes = 3

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
  const what = `${formatRepository(repository)}@${digest}`
  let offset = 0
  for (let resumes = 0; ; resumes++) {
    const stream = await open(access, repository, digest, offset, what, call)
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        offset += chunk.length
        call.cost.bytes += chunk.length
        if (sizeBytes !== null && offset > sizeBytes) {
          throw new Fault('broken-answer', `${what} is longer than the ${sizeBytes} bytes that its manifest says`)
        }
        yield chunk
      }
      if (sizeBytes === null || offset === sizeBytes) return
      throw new Fault('unreachable', `${repository.host} broke off after ${offset} of ${sizeBytes} bytes of ${what}`)
    } catch (error) {
      const fault = isFault(error) ? error : networkFault(error, repository.host)
      if (!isFault(fault, 'unreachable', 'timeout') || resumes >= maxResumes) throw fault
    } finally {
      stream.destroy()
    }
  }
}

async function open(
  access: Access,
  repository: Repository,
  digest: Digest,
  offset: number,
  what: string,
  call: Call,
): Promise<Readable> {
  const response = await access.send(
    repository,
    {
      ...{ method: 'GET', path: `blobs/${digest}`, accept: '*/*', maxBodyBytes: 0, isStreamed: true },
      ...(offset > 0 && { range: `bytes=${offset}-` }),
    },
    { ...call, priority: call.priority ?? 'blob' },
  )
  const { status, stream } = response
  if (stream === undefined) throw answerFault(response, what, access.pausedUntil(repository.host))
  if (status === (offset > 0 ? 206 : 200)) return stream
  stream.destroy()
  throw new Fault('broken-answer', `${repository.host} answers ${status} for ${what}, which was to be gone on with`)
}
