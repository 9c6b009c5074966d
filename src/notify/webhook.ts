import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Clock } from '../core/clock.js'
import { noCost } from '../core/cost.js'
import { Fault, oneLine } from '../core/fault.js'
import { redactUrl, Secret } from '../core/secret.js'
import type { Lane } from '../http/lane.js'
import { parseRetryAfter } from '../http/retry-after.js'
import type { Http } from '../http/send.js'
import type { TlsOptions } from '../http/tls.js'
import type { Notifier } from './notifier.js'

/** How a webhook is sent. */
export interface WebhookOptions {
  readonly url: URL
  /** Read for each message, so that a rotated secret is taken up. */
  readonly secretFile: string
  readonly http: Http
  readonly lane: Lane
  readonly tls: TlsOptions
  readonly clock: Clock
}

const answerBytes = 64 * 1024

/** A POST of JSON, signed as Standard Webhooks 1.0.0 says, with an idempotency key. Redirects are not followed. */
export function createWebhook({ url, secretFile, http, lane, tls, clock }: WebhookOptions): Notifier {
  return {
    async deliver({ id, body }, signal) {
      const secret = await readSecret(secretFile)
      const timestamp = String(Math.floor(clock.now() / 1000))
      const response = await http.send({
        ...{ method: 'POST', url, body, lane, tls, signal, namedBy: 'user', attempts: 1 },
        headers: {
          'content-type': 'application/json',
          'user-agent': 'tidemark',
          'idempotency-key': id,
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': signWebhook(secret, id, timestamp, body),
        },
        ...{ maxBodyBytes: answerBytes, priority: 'interactive', maxWaitMs: 0, cost: noCost() },
      })
      if (response.status >= 200 && response.status < 300) return
      const { status } = response
      const said = oneLine(response.body.toString('utf8', 0, 200))
      const text = `${redactUrl(url)} answered ${status}${said === '' ? '' : `: ${said}`}`
      const until = parseRetryAfter(response.headers, '', status, clock.now())
      throw new Fault('broken-answer', text, { data: { status, ...(until !== null && { until }) } })
    },
  }
}

/**
 * The signature header: HMAC-SHA256 over `id.timestamp.body`, base64, version 1. A secret that begins with `whsec_` is base64,
 * any other is taken as it is.
 */
export function signWebhook(secret: Secret, id: string, timestamp: string, body: string): string {
  const text = secret.reveal()
  const key = text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : Buffer.from(text)
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

async function readSecret(path: string): Promise<Secret> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new Fault('file-unreadable', `cannot read the webhook secret in ${oneLine(path)}`, { cause })
  }
  if (text === '') throw new Fault('file-unreadable', `the webhook secret in ${oneLine(path)} is empty`)
  return new Secret(text)
}
