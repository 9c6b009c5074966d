import { createHmac } from 'node:crypto'
import { Fault } from '../../core/fault.js'
import { objectOf, textOf } from '../../core/json-object.js'
import { isSameHash } from '../../iam/secrets.js'
import { hostOf, pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

const types = ['container', 'docker']

/**
 * GitHub's event `package` (of a GitHub App: `registry_package`), https://docs.github.com/en/webhooks/webhook-events-and-payloads#package,
 * signed over the body as it came: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
 */
export const ghcr: WebhookKind = {
  name: 'ghcr',
  title: 'GitHub’s container registry',
  async verify({ headers, body }, { secret }) {
    const said = /^sha256=([0-9a-f]{64})$/.exec(String(headers['x-hub-signature-256'] ?? ''))?.[1]
    if (secret === null) {
      throw new Fault('unauthenticated', 'no secret is configured that GitHub could sign with', {
        fix: 'Set `webhooks.ghcr.secretFile` of the configuration, and the same secret at the webhook.',
      })
    }
    const signature = createHmac('sha256', secret.reveal()).update(body).digest()
    if (said !== undefined && isSameHash(Buffer.from(said, 'hex'), signature)) return
    throw new Fault('unauthenticated', 'the body is not signed with the secret that is configured', {
      fix: 'Give the webhook the secret of `webhooks.ghcr`.',
    })
  },
  jsonOf({ headers, body }) {
    const text = body.toString('utf8')
    const isForm = String(headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
    return isForm ? (new URLSearchParams(text).get('payload') ?? '') : text
  },
  read(payload, { headers }) {
    const event = headers['x-github-event']
    if (event !== 'package' && event !== 'registry_package') return { events: [null] }
    const { action, [event]: said } = objectOf(payload)
    const { package_type: type, namespace, name, owner, package_version: pushed } = objectOf(said)
    const isContainer = types.some((known) => known === textOf(type).toLowerCase())
    if (!isContainer || (action !== 'published' && action !== 'updated')) return { events: [null] }
    const { version, package_url: url, container_metadata: metadata } = objectOf(pushed)
    const { tag } = objectOf(metadata)
    const repository = `${textOf(namespace) || textOf(objectOf(owner).login)}/${textOf(name)}`.toLowerCase()
    const host = hostOf(url) ?? 'ghcr.io'
    return { events: [pushEvent({ host, repository, tag: objectOf(tag).name, digest: version })] }
  },
}
