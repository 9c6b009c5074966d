import { objectOf } from '../../core/json-object.js'
import { hostOf, pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

/**
 * Quay's event "Push to Repository", https://docs.quay.io/guides/notifications.html, with its own JSON and not a template of the
 * user's: the tags that were pushed, no digests, no signature.
 */
export const quay: WebhookKind = {
  name: 'quay',
  title: 'Quay',
  read(payload) {
    const { docker_url: url, repository, updated_tags: tags } = objectOf(payload)
    const host = hostOf(url)
    return { events: (Array.isArray(tags) ? tags : []).map((tag: unknown) => pushEvent({ host, repository, tag })) }
  },
}
