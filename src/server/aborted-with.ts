import type { FastifyReply } from 'fastify'

/** A signal that aborts when the client goes away before it has its whole answer. */
export function abortedWith(reply: FastifyReply): AbortSignal {
  const abort = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort.abort()
  })
  return abort.signal
}
