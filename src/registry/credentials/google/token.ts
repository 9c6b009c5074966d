import { createPrivateKey, type KeyObject } from 'node:crypto'
import { Fault } from '../../../core/fault.js'
import type { HttpResponse } from '../../../http/send.js'
import type { CredentialContext } from '../credential.js'
import {
  clockSkewMs,
  formQuestion,
  type Question,
  readLifetimeMs,
  readObject,
  readTime,
  refusal,
  requireText,
} from '../question.js'
import { requireField, requireUrl } from '../secret-file.js'

/** An OAuth 2 access token of Google. */
export interface GoogleToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly untilMs: number
  /** Who it is for, as far as is known. */
  readonly identity: string
}

/** What registries need; roles decide what it may do. */
export const scope = 'https://www.googleapis.com/auth/cloud-platform'
const defaultTokenUri = 'https://oauth2.googleapis.com/token'
const lifetimeMs = 60 * 60_000

/**
 * A service account's key: a JWT that it signs, for a token (RFC 7523, and "Using OAuth 2.0 for Server to Server Applications"
 * of Google Identity). One that is refused because our clock is wrong is made again by the time of Google.
 * @param file the parsed key file; its `token_uri` is asked
 * @throws Fault `invalid-config`, `denied`, and what sending throws
 */
export async function serviceAccountToken(
  file: Readonly<Record<string, unknown>>,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<GoogleToken> {
  const email = requireField(file, 'client_email', what)
  const key = readKey(requireField(file, 'private_key', what), what)
  const url = tokenUri(file)
  const kid = typeof file.private_key_id === 'string' ? { kid: file.private_key_id } : {}
  const { SignJWT } = await import('jose')
  const ask = async (nowMs: number) => {
    const seconds = Math.floor(nowMs / 1000)
    const assertion = await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...kid })
      .setIssuer(email)
      .setAudience(url.href)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + lifetimeMs / 1000)
      .sign(key)
    const question = formQuestion(url, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }, signal)
    return { question, answer: await context.send(question) }
  }
  let asked = await ask(context.clock.now())
  const skewMs = clockSkewMs(asked.answer, context.clock.now())
  if (asked.answer.status === 400 && skewMs !== 0) asked = await ask(context.clock.now() + skewMs)
  return readToken(asked.answer, asked.question, what, email, context)
}

/** What `gcloud auth application-default login` left: a refresh token (RFC 6749 section 6). Throws as above. */
export async function userToken(
  file: Readonly<Record<string, unknown>>,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<GoogleToken> {
  const client = requireField(file, 'client_id', what)
  const parameters = {
    ...{ grant_type: 'refresh_token', client_id: client, client_secret: requireField(file, 'client_secret', what) },
    refresh_token: requireField(file, 'refresh_token', what),
  }
  const question = formQuestion(tokenUri(file), parameters, signal)
  return readToken(await context.send(question), question, what, `user ${client}`, context)
}

/**
 * Another service account's token, by IAM Credentials `generateAccessToken`.
 * @param url `service_account_impersonation_url` of the file
 */
export async function impersonatedToken(
  url: URL,
  source: GoogleToken,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<GoogleToken> {
  const question: Question = {
    ...{ method: 'POST', url, to: 'endpoint', signal, body: JSON.stringify({ scope: [scope] }) },
    headers: { authorization: `Bearer ${source.token}`, 'content-type': 'application/json' },
  }
  const answer = await context.send(question)
  const who = `Google's IAM Credentials, asked to impersonate by ${what},`
  if (answer.status !== 200) {
    throw refusal(
      answer,
      question,
      who,
      wordsOf(answer),
      'Grant the caller roles/iam.serviceAccountTokenCreator on it.',
    )
  }
  const fields = readObject(answer, who)
  return {
    token: requireText(fields, 'accessToken', who),
    untilMs: readTime(fields.expireTime, 'expireTime', who),
    identity: url.pathname,
  }
}

/** The token of an OAuth 2 answer. @throws Fault `denied`, `rate-limited`, `broken-answer` */
export function readToken(
  answer: HttpResponse,
  question: Question,
  what: string,
  identity: string,
  { clock }: CredentialContext,
): GoogleToken {
  const who = `${question.url.host}, asked with ${what},`
  if (answer.status !== 200) throw refusal(answer, question, who, wordsOf(answer), fix)
  const fields = readObject(answer, who)
  return {
    token: requireText(fields, 'access_token', who),
    untilMs: clock.now() + readLifetimeMs(fields.expires_in, 'expires_in', who),
    identity,
  }
}

/** `error` and `error_description` of OAuth 2, or the `error` object of Google's APIs; empty where there is neither. */
function wordsOf({ body }: HttpResponse): string {
  let fields: Record<string, unknown>
  try {
    fields = Object(JSON.parse(body.toString('utf8')))
  } catch {
    // No words of its own: the status is told.
    return ''
  }
  const { error, error_description: description } = fields
  const inner = Object(error) as Record<string, unknown>
  return [typeof error === 'string' ? error : inner.status, description ?? inner.message]
    .filter((entry) => typeof entry === 'string')
    .join(': ')
}

function tokenUri(file: Readonly<Record<string, unknown>>): URL {
  return requireUrl(typeof file.token_uri === 'string' ? file.token_uri : defaultTokenUri, 'token_uri')
}

function readKey(pem: string, what: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    // The cause could quote the key.
    throw new Fault('invalid-config', `the private_key of ${what} is no PEM key`, {
      fix: 'Make a new key of the account.',
    })
  }
}

const fix = 'Log in with `gcloud auth application-default login`, or give GOOGLE_APPLICATION_CREDENTIALS a valid file.'
