import { objectOf } from '../../core/json-object.js'
import type { PushEvent } from '../../flows/hint.js'
import { pushEvent } from './push-event.js'
import type { WebhookKind, WebhookReading } from './webhook-kind.js'

const validation = 'Microsoft.EventGrid.SubscriptionValidationEvent'
const maxCodeCharacters = 200

/**
 * Azure Container Registry: its own webhooks, https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference,
 * and Event Grid in both of its schemas, https://learn.microsoft.com/azure/event-grid/event-schema-container-registry, with the handshake
 * of each, https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema. Of two URLs that a handshake
 * may name, neither is ever called.
 */
export const acr: WebhookKind = {
  name: 'acr',
  title: 'Azure Container Registry',
  read(payload): WebhookReading {
    const events = (Array.isArray(payload) ? payload : [payload]).map(objectOf)
    for (const { eventType, data } of events) {
      const { validationCode: code } = objectOf(data)
      const isCode = typeof code === 'string' && code !== '' && code.length <= maxCodeCharacters
      if (eventType === validation && isCode) return { events: [], answer: { validationResponse: code } }
    }
    // Those of Event Grid have the webhook's own body as their data.
    return { events: events.map((event) => readEvent(objectOf('action' in event ? event : event.data))) }
  },
  mayAsk: (origin) => /^eventgrid\.azure\.(?:net|com|us|cn)$/.test(origin),
}

function readEvent({ action, target, request }: Readonly<Record<string, unknown>>): PushEvent | null {
  if (action !== 'push' && action !== 'delete') return null
  const { repository, tag, digest } = objectOf(target)
  const { host } = objectOf(request)
  return pushEvent({ host, repository, tag, digest: action === 'push' ? digest : undefined })
}
