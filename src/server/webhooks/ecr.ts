import { objectOf } from '../../core/json-object.js'
import { pushEvent } from './push-event.js'
import type { WebhookKind } from './webhook-kind.js'

/**
 * Amazon ECR's event "ECR Image Action", https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html, by an API destination
 * of EventBridge.
 */
export const ecr: WebhookKind = {
  name: 'ecr',
  title: 'Amazon ECR',
  read(payload) {
    const { source, account, region, detail, 'detail-type': type } = objectOf(payload)
    const { result, 'action-type': action } = objectOf(detail)
    const isAction = source === 'aws.ecr' && type === 'ECR Image Action' && result === 'SUCCESS'
    if (!isAction || (action !== 'PUSH' && action !== 'DELETE')) return { events: [null] }
    const { 'repository-name': repository, 'image-tag': tag, 'image-digest': digest } = objectOf(detail)
    const host = hostOf(account, region)
    return { events: [pushEvent({ host, repository, tag, digest: action === 'PUSH' ? digest : undefined })] }
  },
}

function hostOf(account: unknown, region: unknown): string | undefined {
  if (typeof account !== 'string' || !/^\d{12}$/.test(account)) return undefined
  if (typeof region !== 'string' || !/^[a-z0-9-]{1,32}$/.test(region)) return undefined
  return `${account}.dkr.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}
