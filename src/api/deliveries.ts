import { Fault } from '../core/fault.js'
import { formatReference } from '../core/reference.js'
import { formatTime } from '../core/time.js'
import type { Operation } from './operation.js'

/** What was told to whom, and what could not be. */
export const deliveriesList: Operation<'deliveriesList'> = {
  name: 'deliveriesList',
  summary: 'What was told to whom, newest first',
  capability: 'delivery.list',
  async run({ state, channel, limit: most = 1_000, cursor: before }, { services }) {
    const { deliveries } = await services.store()
    const filter = {
      limit: most + 1,
      ...(state !== undefined && { state }),
      ...(channel !== undefined && { channel }),
      ...(before !== undefined && { before: parseCursor(before) }),
    }
    const found = await deliveries.list(filter)
    const shown = found.slice(0, most)
    const body = {
      deliveries: shown.map(({ id, channel: name, state: is, attempts, nextAt, fault, event }) => ({
        ...{ id, channel: name, state: is, attempts, fault },
        nextAt: nextAt === null ? null : formatTime(nextAt),
        event: {
          id: event.id,
          type: event.type,
          reference: formatReference(event.reference),
          at: formatTime(event.at),
        },
      })),
    }
    return { body, next: found.length > most ? String(shown.at(-1)?.id) : null }
  },
}

/** Sends deliveries again. */
export const deliveriesReplay: Operation<'deliveriesReplay'> = {
  name: 'deliveriesReplay',
  summary: 'Send deliveries again: those that are dead, or those that are named',
  capability: 'delivery.replay',
  async run({ id, channel }, { services }) {
    const { deliveries } = await services.store()
    const which = { ...(id !== undefined && { ids: id }), ...(channel !== undefined && { channel }) }
    return { body: { replayed: await deliveries.replay(which, services.clock.now()) } }
  },
}

function parseCursor(text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text)
  throw new Fault('invalid-argument', 'not a cursor of ours', {
    fix: 'Take it from the Link header of the page before.',
  })
}
