import { Fault } from '../../../core/fault.js'
import type { CredentialContext } from '../credential.js'
import { formQuestion, type Question, readObject, refusal, requireText } from '../question.js'
import { parseJson, readSecretFile, requireField, requireUrl } from '../secret-file.js'
import { type GoogleToken, impersonatedToken, readToken, scope } from './token.js'

/**
 * Workload identity federation: a token of another provider, from a file or a URL, exchanged at Google's STS (RFC 8693), and
 * for a service account's where the file names one (AIP-4117).
 * @param file the parsed file, of type `external_account`
 * @throws Fault `invalid-config`, `file-unreadable`, `denied`, and what sending throws
 */
export async function externalAccountToken(
  file: Readonly<Record<string, unknown>>,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<GoogleToken> {
  const audience = requireField(file, 'audience', what)
  const url = requireUrl(requireField(file, 'token_url', what), 'token_url')
  const parameters = {
    ...{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', audience, scope },
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: requireField(file, 'subject_token_type', what),
    subject_token: await subjectToken(file, what, context, signal),
  }
  const question = formQuestion(url, parameters, signal)
  const token = readToken(await context.send(question), question, what, audience, context)
  const impersonation = file.service_account_impersonation_url
  if (typeof impersonation !== 'string') return token
  const target = requireUrl(impersonation, 'service_account_impersonation_url')
  return await impersonatedToken(target, token, what, context, signal)
}

async function subjectToken(
  file: Readonly<Record<string, unknown>>,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<string> {
  const source = Object(file.credential_source) as Record<string, unknown>
  const format = Object(source.format) as Record<string, unknown>
  const read = (text: string, from: string) => {
    if (format.type !== 'json') return text.trim()
    return requireField(parseJson(text, from, what), requireField(format, 'subject_token_field_name', what), from)
  }
  if (typeof source.file === 'string') return read(await readSecretFile(source.file, what), source.file)
  if (typeof source.url !== 'string' || source.environment_id !== undefined) {
    const kind =
      source.environment_id !== undefined ? 'aws' : source.executable !== undefined ? 'executable' : 'unknown'
    throw new Fault('invalid-config', `${what} takes its token from a source (${kind}) that Tidemark does not read`, {
      fix: 'Make one with a file or a URL as its source, or use docker-credential-gcloud.',
    })
  }
  const headers = Object.entries(Object(source.headers)).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string'
  })
  // The address is the user's: GitHub's is public, another's may be this machine's own.
  const question: Question = {
    ...{ method: 'GET', url: requireUrl(source.url, 'credential_source.url'), signal, to: 'named-endpoint' },
    headers: Object.fromEntries(headers),
  }
  const answer = await context.send(question)
  const who = `the credential source of ${what}`
  if (answer.status !== 200) throw refusal(answer, question, who, '', `Check credential_source of ${what}.`)
  if (format.type !== 'json') return requireText({ token: answer.body.toString('utf8').trim() }, 'token', who)
  return requireText(readObject(answer, who), requireField(format, 'subject_token_field_name', what), who)
}
