import { objectOf, objectsOf } from '../../core/json-object.js'
import { hostOf, pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

const pushes = ['PUSH_ARTIFACT', 'pushImage', 'harbor.artifact.pushed']
const removals = ['DELETE_ARTIFACT', 'deleteImage', 'harbor.artifact.deleted']

/**
 * Harbor, https://goharbor.io/docs/2.13.0/working-with-projects/project-configuration/configure-webhooks/, in its default form and as
 * CloudEvents. What was pushed without a tag has its digest in the place of one.
 */
export const harbor: WebhookKind = {
  name: 'harbor',
  title: 'Harbor',
  read(payload) {
    const event = objectOf(payload)
    const isPush = pushes.some((type) => type === event.type)
    if (!isPush && !removals.some((type) => type === event.type)) return { events: [null] }
    const { resources, repository } = objectOf(event.event_data ?? event.data)
    const { repo_full_name: name } = objectOf(repository)
    return {
      events: objectsOf(resources).map(({ resource_url: url, tag, digest }) =>
        pushEvent({ host: hostOf(url), repository: name, tag, digest: isPush ? digest : undefined }),
      ),
    }
  },
}
