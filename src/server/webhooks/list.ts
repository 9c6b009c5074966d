import { acr } from './acr.js'
import { distribution } from './distribution.js'
import { dockerHub } from './docker-hub.js'
import { ecr } from './ecr.js'
import { gar } from './gar.js'
import { ghcr } from './ghcr.js'
import { harbor } from './harbor.js'
import { quay } from './quay.js'
import type { WebhookKind } from './webhook-kind.js'

/** Everybody whose webhooks we read. */
export const webhookKinds: readonly WebhookKind[] = [acr, distribution, dockerHub, ecr, gar, ghcr, harbor, quay]
