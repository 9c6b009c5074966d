import { Fault, isFault, toFault } from '../core/fault.js'
import type { Log } from '../core/log.js'
import { formatReference } from '../core/reference.js'
import { parseNetworks } from '../http/guard.js'
import { Lane } from '../http/lane.js'
import { createHttp } from '../http/send.js'
import { readTlsOptions } from '../http/tls.js'
import { nextAttemptMs } from '../notify/attempts.js'
import type { Notifier } from '../notify/notifier.js'
import type { NotifySettings } from '../notify/settings.js'
import { channelName, wantsEvent } from '../notify/wants.js'
import { createWebhook } from '../notify/webhook.js'
import type { StoredEvent } from '../store/event-store.js'
import type { LeasedDelivery } from '../store/store.js'
import { createAbort, type Services } from './open.js'
import { wireEvent } from './wire.js'

/** Delivers what happened to the channels of the configuration, until it is stopped. */
export interface Deliverer {
  /** Takes up another configuration. @throws Fault `invalid-config` */
  configure(settings: NotifySettings): Promise<void>
  stop(): Promise<void>
}

const pollMs = 500
const leaseMs = 60_000
const atATime = 8
/** A receiver that has gone for good: RFC 9110 section 15.5.11. */
const gone = 410

/** Starts delivering: at least once, each event to each channel that wants it, in the order of their due times. */
export async function startDelivering(services: Services, log: Log): Promise<Deliverer> {
  const { clock, random, environment } = services
  const { network = {}, notify = [] } = await services.config()
  const store = await services.store()
  const http = createHttp({
    clock,
    random,
    environment,
    allow: parseNetworks(network.allow ?? []),
    connections: atATime,
  })
  const abort = createAbort()
  let channels = new Map<string, { readonly settings: NotifySettings[number]; readonly notifier: Notifier }>()

  const configure = async (settings: NotifySettings) => {
    const made = new Map<string, { settings: NotifySettings[number]; notifier: Notifier }>()
    for (const entry of settings) {
      const name = channelName(entry)
      if (made.has(name)) {
        throw new Fault('invalid-config', `notify: two channels are called '${name}'`, { fix: 'Give each a name.' })
      }
      const lane = new Lane(name, atATime, clock, random)
      const options = { url: new URL(entry.webhook), secretFile: entry.secretFile, http, lane, clock }
      made.set(name, { settings: entry, notifier: createWebhook({ ...options, tls: readTlsOptions({}, environment) }) })
    }
    channels = made
    await store.deliveries.setChannels('webhook', [...made.keys()])
  }

  const wants = (channel: string, event: StoredEvent) => {
    const found = channels.get(channel)
    const told = { type: event.type, reference: formatReference(event.reference) }
    return found !== undefined && wantsEvent(found.settings, told)
  }

  const attempt = async (delivery: LeasedDelivery) => {
    const channel = channels.get(delivery.channel)
    if (channel === undefined) return
    const id = `tidemark-${delivery.event.id}-${delivery.channel}`
    try {
      await channel.notifier.deliver({ id, body: JSON.stringify(wireEvent(delivery.event)) }, abort.signal)
      await store.deliveries.finish(delivery, { state: 'sent', at: clock.now() })
    } catch (error) {
      if (isFault(error, 'cancelled')) return
      await store.deliveries.finish(delivery, outcomeOf(toFault(error), delivery))
    }
  }

  const outcomeOf = (fault: Fault, delivery: LeasedDelivery) => {
    const now = clock.now()
    const nextAt = fault.data.status === gone ? null : nextAttemptMs(delivery.attempts, now, random)
    const { until } = fault.data
    log.warn(
      { channel: delivery.channel, event: delivery.event.id, attempts: delivery.attempts, fault: fault.message },
      'delivery failed',
    )
    if (nextAt === null) return { state: 'dead', at: now, fault: fault.message } as const
    const laterAt = typeof until === 'number' ? Math.max(nextAt, until) : nextAt
    return { state: 'due', nextAt: laterAt, fault: fault.message } as const
  }

  const round = async () => {
    const names = [...channels.keys()]
    await store.deliveries.fanOut(names, wants, clock.now())
    const leased = await store.deliveries.lease(names, { now: clock.now(), leaseMs, limit: atATime })
    await Promise.all(leased.map(attempt))
    return leased.length
  }

  const run = async () => {
    while (!abort.signal.aborted) {
      try {
        if (channels.size > 0 && (await round()) > 0) continue
      } catch (error) {
        log.error({ fault: toFault(error).message }, 'deliveries stand still')
      }
      await clock.sleep(pollMs, abort.signal).catch(ignoreCancelled)
    }
  }

  await configure(notify)
  const running = run()
  return {
    configure,
    async stop() {
      abort.abort()
      await running
      http.close()
    },
  }
}

function ignoreCancelled(error: unknown): void {
  if (!isFault(error, 'cancelled')) throw error
}
