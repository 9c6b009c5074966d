import { Fault } from '../../../core/fault.js'
import type { HttpResponse } from '../../../http/send.js'
import type { CredentialContext } from '../credential.js'
import { clockSkewMs, type Question, refusal } from '../question.js'

/** Keys that requests to AWS are signed with. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** Where they come from, for messages: `the environment (AWS_ACCESS_KEY_ID)`. */
  readonly from: string
}

/** One call of an AWS service by POST. */
export interface AwsCall {
  readonly url: URL
  readonly service: string
  readonly region: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Null for the calls that need no signature. */
  readonly keys: AwsKeys | null
  /** For messages: `ECR (GetAuthorizationToken)`. */
  readonly who: string
  readonly fix: string
}

const attempts = 4
const backoffFirstMs = 500

/**
 * Sends a call, signed with Signature Version 4 by the time of `context.clock`. Throttling, which AWS also tells with 400,
 * is waited out; a signature that is refused because our clock is wrong is made once more by the time of AWS.
 * @throws Fault `denied`, `rate-limited`, `broken-answer`, and what sending throws
 */
export async function callAws(call: AwsCall, context: CredentialContext, signal: AbortSignal): Promise<HttpResponse> {
  const { clock, send } = context
  let skewMs = 0
  for (let attempt = 1; ; attempt++) {
    const question = await sign(call, clock.now() + skewMs, signal)
    const answer = await send(question)
    if (answer.status === 200) return answer
    const { code, message } = readError(answer)
    const measuredMs = clockSkewMs(answer, clock.now())
    if (skewMs === 0 && isAboutTime(code, message) && measuredMs !== 0) {
      skewMs = measuredMs
      continue
    }
    const said = `${code}${code !== '' && message !== '' ? ': ' : ''}${message}`
    if (!/^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|IDPCommunicationError)/.test(code)) {
      throw refusal(answer, question, call.who, said, call.fix)
    }
    if (attempt >= attempts) throw new Fault('rate-limited', `${call.who} asks us to wait (${code})`)
    await clock.sleep(backoffFirstMs * 2 ** (attempt - 1), signal)
  }
}

/** The endpoint of a service that the environment names (AWS SDKs and Tools Reference Guide, "Service-specific endpoints"). */
export function namedEndpoint(
  service: 'ECR' | 'ECR_PUBLIC' | 'STS',
  environment: CredentialContext['environment'],
): string | undefined {
  if (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined
  return environment[`AWS_ENDPOINT_URL_${service}`] || environment.AWS_ENDPOINT_URL || undefined
}

async function sign(call: AwsCall, nowMs: number, signal: AbortSignal): Promise<Question> {
  const { url, service, region, body, keys } = call
  const rest = { method: 'POST', url, body, to: 'named-endpoint', signal } as const
  if (keys === null) return { ...rest, headers: call.headers }
  const { accessKeyId, secretAccessKey, sessionToken } = keys
  const { AwsV4Signer } = await import('aws4fetch')
  const signer = new AwsV4Signer({
    ...{
      method: 'POST',
      url: url.href,
      headers: { ...call.headers },
      body,
      service,
      region,
      accessKeyId,
      secretAccessKey,
    },
    ...(sessionToken !== undefined && { sessionToken }),
    datetime: new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  })
  const { headers } = await signer.sign()
  return { ...rest, headers: Object.fromEntries(headers) }
}

/** JSON protocol: `__type`, with a namespace before `#`; query protocol: `<Code>` and `<Message>`. */
function readError({ body, headers }: HttpResponse): { code: string; message: string } {
  const text = body.toString('utf8')
  const typed = String(headers['x-amzn-errortype'] ?? '')
  const fields = text.startsWith('{') ? parse(text) : {}
  const type = [fields.__type, fields.code, typed, xmlText(text, 'Code')].find(
    (entry) => typeof entry === 'string' && entry,
  )
  const message = [fields.message, fields.Message, xmlText(text, 'Message')].find((entry) => typeof entry === 'string')
  const code = String(type ?? '')
    .replace(/^.*#/, '')
    .replace(/:.*$/, '')
  return { code, message: String(message ?? '') }
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>
  } catch {
    // An answer that cannot be read has no code of its own: its status is told.
    return {}
  }
}

function isAboutTime(code: string, message: string): boolean {
  return (
    /^(RequestTimeTooSkewed|RequestExpired|RequestInTheFuture)/.test(code) ||
    (/^(InvalidSignatureException|SignatureDoesNotMatch|AuthFailure)/.test(code) &&
      /signature (expired|not yet current)/i.test(message))
  )
}

/** The text of the first element `name` of an answer of the query protocol; undefined when there is none. */
export function xmlText(text: string, name: string): string | undefined {
  const raw = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return raw?.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, entity: string) => entities[entity] ?? '').trim()
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'" }
