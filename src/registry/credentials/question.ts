import type { Clock, Random } from '../../core/clock.js'
import { noCost } from '../../core/cost.js'
import { Fault, isFault, oneLine } from '../../core/fault.js'
import { type Host, isLoopbackHost } from '../../core/host.js'
import { limits } from '../../core/limits.js'
import { Lane } from '../../http/lane.js'
import type { Http, HttpResponse } from '../../http/send.js'
import { readTlsOptions } from '../../http/tls.js'

/** One request to those who give out credentials. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /**
   * `endpoint`: a service of the cloud; secrets go there encrypted, or to loopback. `named-endpoint`: one that the user named
   * for this, in whatever way they did. `metadata`: see `AddressPolicy.namedBy`.
   */
  readonly to: 'endpoint' | 'named-endpoint' | 'metadata'
  /** Sent once, and given up after so many milliseconds: to find out whether anybody is there. */
  readonly withinMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks, with the retries of `Http`, and without following redirects: a secret would go along.
 * @throws Fault what sending throws; `invalid-config` for an endpoint that is not encrypted
 */
export type SendQuestion = (question: Question) => Promise<HttpResponse>

/** How long a question may wait while its host asks us to. */
const maxWaitMs = 60_000

/** Sends questions through `http`. What they cost is nobody's: one answer serves all who wait for it, for hours. */
export function questionSender(
  http: Http,
  clock: Clock,
  random: Random,
  environment: Readonly<Record<string, string | undefined>>,
): SendQuestion {
  const lanes = new Map<string, Lane>()
  const tls = readTlsOptions({}, environment)
  return async ({ method, url, headers, body, to, withinMs, signal }) => {
    if (to === 'endpoint' && url.protocol !== 'https:' && !isLoopbackHost(url.host as Host)) {
      throw new Fault('invalid-config', `${url.origin} is not encrypted, and would be sent a secret`, {
        fix: 'Give an https:// URL.',
      })
    }
    const lane = lanes.get(url.host) ?? new Lane(url.host, 4, clock, random)
    lanes.set(url.host, lane)
    const bound = withinMs === undefined ? undefined : AbortSignal.timeout(withinMs)
    const signals = [bound, signal].filter((entry) => entry !== undefined)
    try {
      return await http.send({
        ...{ method, url, headers: { accept: 'application/json', 'user-agent': 'tidemark', ...headers } },
        ...(body !== undefined && { body }),
        ...{ maxBodyBytes: limits.tokenBytes, lane, priority: 'head', maxWaitMs, cost: noCost(), isRedirected: false },
        ...(withinMs !== undefined && { attempts: 1 }),
        ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
        ...{ namedBy: to === 'metadata' ? 'metadata' : 'user', tls: url.protocol === 'https:' ? tls : {} },
      })
    } catch (error) {
      if (!bound?.aborted || signal?.aborted || !isFault(error, 'cancelled')) throw error
      throw new Fault('timeout', `${url.host} did not answer within ${(withinMs ?? 0) / 1000} s`, { cause: error })
    }
  }
}

/** Microsoft's and Amazon's libraries give a metadata service one second to say that it is there, Google's three. */
export const probeMs = 1_000

/**
 * Asks a metadata service; null where nobody is at its address.
 * @param isNamed whether the user named it: then that nobody is there is a fault
 */
export async function askIfThere(
  question: Question,
  isNamed: boolean,
  send: SendQuestion,
): Promise<HttpResponse | null> {
  try {
    return await send(question)
  } catch (error) {
    if (!isNamed && isNobodyThere(error)) return null
    throw error
  }
}

/** A POST of a form that may carry secrets. */
export function formQuestion(url: URL, parameters: Readonly<Record<string, string>>, signal: AbortSignal): Question {
  return {
    ...{ method: 'POST', url, to: 'endpoint', signal, body: new URLSearchParams(parameters).toString() },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
}

/**
 * Whether this says that nobody is at the address of a metadata service: this machine is in no cloud, or not in that one. A
 * lane that gave up after five such failures says the same.
 */
export function isNobodyThere(error: unknown): boolean {
  return isFault(error, 'unreachable', 'timeout')
}

/** The object of a JSON answer. @throws Fault `broken-answer` */
export function readObject(answer: HttpResponse, who: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(answer.body.toString('utf8'))
  } catch (cause) {
    throw new Fault('broken-answer', `${who} did not answer with JSON`, { cause, fix: brokenFix })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault('broken-answer', `${who} did not answer with a JSON object`, { fix: brokenFix })
  }
  return value as Record<string, unknown>
}

/** A field that must be a text of printable characters, as goes into a header. @throws Fault `broken-answer` */
export function requireText(fields: Readonly<Record<string, unknown>>, name: string, who: string): string {
  const value = fields[name]
  if (typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)) return value
  throw new Fault('broken-answer', `${who} gave no ${name}`, { fix: brokenFix })
}

/**
 * A point in time of an answer: ISO 8601, or seconds since the epoch as a number or text.
 * @returns milliseconds since the epoch
 * @throws Fault `broken-answer`
 */
export function readTime(value: unknown, name: string, who: string): number {
  const isSeconds = typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value))
  const ms = isSeconds ? Number(value) * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isFinite(ms) && ms > 0) return ms
  throw new Fault('broken-answer', `${who} gave no time in ${name}`, { fix: brokenFix })
}

/** A lifetime of an answer in seconds, a number or text (Azure sends text). @throws Fault `broken-answer` */
export function readLifetimeMs(value: unknown, name: string, who: string): number {
  const seconds = typeof value === 'string' ? Number(value) : value
  if (typeof seconds === 'number' && seconds > 0 && seconds < 1e9) return seconds * 1000
  throw new Fault('broken-answer', `${who} gave no lifetime in ${name}`, { fix: brokenFix })
}

/**
 * The fault of an answer that is no success.
 * @param said its own words; what we had sent (secrets among it) is taken out
 */
export function refusal(answer: HttpResponse, question: Question, who: string, said: string, fix: string): Fault {
  const { status } = answer
  const words = withoutSecrets(oneLine(said), question)
  const message = `${who} answers ${status}${words === '' ? '' : `: ${words}`}`
  if (status === 429) return new Fault('rate-limited', message)
  if (status >= 500 || status < 400) return new Fault('broken-answer', message, { fix: brokenFix })
  return new Fault('denied', message, { fix })
}

/** Clouds allow some minutes; beyond one the difference explains a refusal. */
const noticedSkewMs = 60_000

/**
 * How far the clock of who answered is ahead of ours, by its `Date` header; 0 where that is too little to explain a refusal, or
 * is not told.
 */
export function clockSkewMs(answer: HttpResponse, nowMs: number): number {
  const skewMs = Date.parse(answer.headers.date ?? '') - nowMs
  return Math.abs(skewMs) > noticedSkewMs ? skewMs : 0
}

const brokenFix = 'Check the endpoint that the environment or the configuration names; a proxy may answer in its place.'

function withoutSecrets(text: string, { headers = {}, body = '' }: Question): string {
  const sent = [...new URLSearchParams(body).values(), ...Object.values(headers)].filter(({ length }) => length >= 16)
  return sent.reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
}
