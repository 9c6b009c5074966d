import { objectOf } from '../../core/json-object.js'
import { pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

/**
 * Docker Hub, https://docs.docker.com/docker-hub/repos/manage/webhooks/: one tag each, no digest, no signature. Its `callback_url` is
 * whatever the sender writes there, and is never called.
 */
export const dockerHub: WebhookKind = {
  name: 'docker-hub',
  title: 'Docker Hub',
  read(payload) {
    const { push_data: pushed, repository } = objectOf(payload)
    const { tag } = objectOf(pushed)
    return { events: [pushEvent({ host: 'docker.io', repository: objectOf(repository).repo_name, tag })] }
  },
}
