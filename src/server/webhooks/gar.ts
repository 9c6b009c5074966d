import { Fault } from '../../core/fault.js'
import { objectOf } from '../../core/json-object.js'
import { pushEventOf } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

/**
 * Google Artifact Registry and gcr.io: the topic `gcr`, https://cloud.google.com/artifact-registry/docs/configure-notifications, by a
 * push subscription that authenticates, https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions.
 */
export const gar: WebhookKind = {
  name: 'gar',
  title: 'Google Artifact Registry and gcr.io',
  async verify({ headers }, { verifyPubSubToken }) {
    const token = /^Bearer ([^ ]+)$/i.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined) return await verifyPubSubToken(token)
    throw new Fault('unauthenticated', 'the push subscription shows no token', {
      fix: 'Enable authentication of the push subscription.',
    })
  },
  read(payload) {
    const { data } = objectOf(objectOf(payload).message)
    const { action, tag, digest } = objectOf(typeof data === 'string' ? parseOrNull(data) : null)
    if (action !== 'INSERT' && action !== 'DELETE') return { events: [null] }
    const pushed = action === 'INSERT' && typeof digest === 'string' ? digest.slice(digest.indexOf('@') + 1) : undefined
    return { events: [pushEventOf(tag, pushed)] }
  },
}

/** A message of another topic may hold anything. */
function parseOrNull(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as unknown
  } catch {
    return null
  }
}
