import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { eventsPath } from '../../client/src/index.js'
import { Fault, toFault } from '../core/fault.js'
import type { Services } from '../flows/open.js'
import { wireEvent } from '../flows/wire.js'
import type { Store } from '../store/store.js'
import type { Auth } from './auth.js'

/** How often the log is read for all who listen; another process may have written to it. */
const pollMs = 250
/** A comment that keeps proxies from closing a quiet stream. */
const heartbeatMs = 15_000
const batch = 500
/** Who does not read that much is cut off; it resumes with Last-Event-ID. */
const maxBufferedBytes = 1024 * 1024

interface Listener {
  readonly reply: FastifyReply
  lastId: number
}

/** Server-sent events of history entries, resumed with `Last-Event-ID`; from now on without it. */
export function addEvents(app: FastifyInstance, services: Services, auth: Auth): void {
  const listeners = new Set<Listener>()
  let timer: NodeJS.Timeout | undefined
  let sentAt = 0

  const round = async () => {
    const store = await services.store()
    for (const listener of [...listeners]) await sendNew(listener, store)
    if (Date.now() - sentAt >= heartbeatMs) {
      sentAt = Date.now()
      for (const { reply } of listeners) reply.raw.write(': still here\n\n')
    }
  }
  const plan = () => {
    if (timer !== undefined || listeners.size === 0) return
    timer = setTimeout(() => {
      round()
        .catch((error: unknown) => app.log.error({ fault: toFault(error).message }, 'events cannot be read'))
        .finally(() => {
          timer = undefined
          plan()
        })
    }, pollMs)
  }
  // Before connections are ended: those of HTTP/2 wait for what is open on them.
  app.addHook('preClose', async () => {
    clearTimeout(timer)
    for (const { reply } of listeners) reply.raw.end()
    listeners.clear()
  })
  app.route({
    method: 'GET',
    url: eventsPath,
    schema: {
      operationId: 'events',
      summary: 'History entries as they are written: server-sent events, resumed with Last-Event-ID',
      tags: ['events'],
      security: [{ token: [] }],
      headers: Type.Object({
        'last-event-id': Type.Optional(Type.String({ description: 'the last id that was seen' })),
      }),
      querystring: Type.Object({
        after: Type.Optional(
          Type.String({
            description: 'the same, for the first request: 0 for all that is kept; the header goes before',
          }),
        ),
      }),
      response: { 200: Type.String({ description: 'text/event-stream' }) },
    },
    onRequest: async (request) => {
      await auth.require(request, 'tag.list')
    },
    handler: async (request, reply) => {
      const store = await services.store()
      const { after } = request.query as { readonly after?: string }
      const lastId = await firstId(request.headers['last-event-id'] || after, store)
      const listener = { reply, lastId }
      reply.hijack()
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      })
      reply.raw.write('retry: 2000\n\n')
      listeners.add(listener)
      reply.raw.once('close', () => listeners.delete(listener))
      plan()
    },
  })
}

async function firstId(said: string | string[] | undefined, store: Store): Promise<number> {
  if (said === undefined || said === '') return await store.events.latestId()
  // An id from another database, higher than any of ours, must not keep the reader waiting for ever.
  if (typeof said === 'string' && /^\d{1,15}$/.test(said)) return Math.min(Number(said), await store.events.latestId())
  throw new Fault('invalid-argument', 'Last-Event-ID, or `after`, is not an id of ours', {
    fix: 'Send the id of the last event that you have, or leave it out.',
  })
}

async function sendNew(listener: Listener, store: Store): Promise<void> {
  const { raw } = listener.reply
  for (;;) {
    const events = await store.events.after(listener.lastId, batch)
    for (const event of events) {
      const wire = wireEvent(event)
      raw.write(`id: ${wire.id}\nevent: ${wire.type}\ndata: ${JSON.stringify(wire)}\n\n`)
      listener.lastId = event.id
    }
    if (raw.writableLength > maxBufferedBytes) {
      raw.destroy()
      return
    }
    if (events.length < batch || raw.destroyed) return
  }
}
