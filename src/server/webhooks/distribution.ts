import { objectOf, objectsOf } from '../../core/json-object.js'
import type { PushEvent } from '../../flows/hint.js'
import { pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

/**
 * The envelope of events of the distribution project's registry, https://distribution.github.io/distribution/about/notifications/,
 * 2.8 and 3.0; GitLab's own registry sends the same. Layers come as `push` without a tag; our own looks come back as `pull`.
 */
export const distribution: WebhookKind = {
  name: 'distribution',
  title: 'distribution',
  read: (payload) => ({ events: objectsOf(objectOf(payload).events).map(readEvent) }),
}

function readEvent(event: Readonly<Record<string, unknown>>): PushEvent | null {
  const { action } = event
  if (action !== 'push' && action !== 'delete') return null
  const { repository, tag, digest } = objectOf(event.target)
  // The name that the client used; the registry's idea of its own name is the machine's.
  const host = objectOf(event.request).host || objectOf(event.source).addr
  return pushEvent({ host, repository, tag, digest: action === 'push' ? digest : undefined })
}
