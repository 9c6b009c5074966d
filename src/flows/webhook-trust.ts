import { Fault } from '../core/fault.js'
import { Secret } from '../core/secret.js'
import { verifyForeignToken } from '../iam/foreign-token.js'
import type { Config } from './config.js'
import { createIssuerKeys, type IssuerKeys, issuerUrl, withIssuerKeys } from './issuer-keys.js'
import type { Services } from './open.js'
import { readSecretFile } from './static-tokens.js'
import type { WebhookKindName, WebhooksSettings } from './webhook-settings.js'

/** What webhooks are proved with: secrets of ours, and the keys of an issuer. */
export interface WebhookTrust {
  /** Reads `webhooks:`, and gives what takes it up. @throws Fault `file-unreadable`, `invalid-config`, `invalid-argument` */
  read(config: Config): Promise<() => void>
  /** The secret of a kind; null where none is configured. */
  secretOf(kind: WebhookKindName): Secret | null
  /**
   * Verifies the OIDC token of a push subscription of Google's Pub/Sub: signature, issuer, audience, time, service account.
   * @throws Fault `unauthenticated`, and what asking the issuer for its keys throws
   */
  verifyPubSubToken(token: string): Promise<void>
  close(): Promise<void>
}

const google = 'https://accounts.google.com'

/** See {@link WebhookTrust}. Nothing is trusted before something is taken up. */
export function createWebhookTrust(services: Services): WebhookTrust {
  let secrets = new Map<WebhookKindName, Secret>()
  let gar: WebhooksSettings['gar']
  let issuerKeys: Promise<IssuerKeys> | undefined
  return {
    async read({ webhooks = {} }) {
      if (webhooks.gar !== undefined) issuerUrl(webhooks.gar.issuer ?? google)
      const read = await readSecrets(webhooks)
      return () => {
        secrets = read
        gar = webhooks.gar
      }
    },
    secretOf: (kind) => secrets.get(kind) ?? null,
    async verifyPubSubToken(token) {
      if (gar === undefined) {
        throw new Fault('unauthenticated', 'no push subscription is trusted here', {
          fix: 'Set `webhooks.gar.audience` and `webhooks.gar.serviceAccount` of the configuration.',
        })
      }
      const { audience, serviceAccount, issuer = google } = gar
      issuerKeys ??= createIssuerKeys(services)
      // Anybody with an account at Google gets a token for any audience: only the e-mail address tells who asked for it.
      const claims = { email: serviceAccount, email_verified: 'true' }
      const rule = { issuer, subject: '*', claims, audiences: [audience] }
      await withIssuerKeys(await issuerKeys, issuer, (keys) =>
        verifyForeignToken(token, rule, keys, services.clock.now()),
      )
    },
    async close() {
      const made = await issuerKeys
      made?.close()
    },
  }
}

async function readSecrets(webhooks: WebhooksSettings): Promise<Map<WebhookKindName, Secret>> {
  const secrets = new Map<WebhookKindName, Secret>()
  for (const [kind, entry] of Object.entries(webhooks) as [WebhookKindName, object][]) {
    const { secret, secretFile } = entry as { secret?: string; secretFile?: string }
    if (secret !== undefined && secretFile !== undefined) {
      throw new Fault('invalid-config', `webhooks.${kind} has both a secret and a secretFile`, {
        fix: 'Leave one of them out.',
      })
    }
    if (secret !== undefined) secrets.set(kind, new Secret(secret))
    if (secretFile !== undefined) secrets.set(kind, await readSecretFile(secretFile))
  }
  return secrets
}
