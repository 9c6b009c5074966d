import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault, oneLine } from '../../core/fault.js'
import { shown, textOf } from '../../core/json-object.js'
import { type CredentialContext, type CredentialPlugin, passwordCredential } from './credential.js'
import { externalAccountToken } from './google/external-account.js'
import { type GoogleToken, impersonatedToken, readToken, serviceAccountToken, userToken } from './google/token.js'
import { askIfThere, probeMs, type Question } from './question.js'
import { type FetchedCredential, Renewal } from './renewal.js'
import { parseJson, readIfThere, readJsonFile, requireUrl } from './secret-file.js'

/**
 * Google Artifact Registry and Container Registry: an access token as the password of `oauth2accesstoken`, from Application
 * Default Credentials in Google's order (AIP-4110). One token is for all hosts.
 */
export const garCredentials: CredentialPlugin = {
  name: 'Google',
  open(context) {
    const renewal = new Renewal(context.clock)
    return {
      async find({ host }, signal) {
        if (context.kindOf(host) !== 'gar') return null
        return await renewal.get('google', (flight) => fetchPassword(context, flight), signal)
      },
    }
  },
}

async function fetchPassword(context: CredentialContext, signal: AbortSignal): Promise<FetchedCredential | null> {
  const token = await defaultToken(context, signal)
  if (token === null) return null
  const credential = passwordCredential('oauth2accesstoken', token.token, `google ${token.identity}`)
  return { credential, untilMs: token.untilMs }
}

async function defaultToken(context: CredentialContext, signal: AbortSignal): Promise<GoogleToken | null> {
  const { environment } = context
  const { GOOGLE_APPLICATION_CREDENTIALS: named, CLOUDSDK_CONFIG, APPDATA } = environment
  if (named) {
    const what = 'the file of GOOGLE_APPLICATION_CREDENTIALS'
    return await tokenOf(await readJsonFile(named, what), what, context, signal)
  }
  const home = environment.HOME || homedir()
  const usual = process.platform === 'win32' && APPDATA ? join(APPDATA, 'gcloud') : join(home, '.config', 'gcloud')
  const path = join(CLOUDSDK_CONFIG || usual, 'application_default_credentials.json')
  const what = "gcloud's application_default_credentials.json"
  const text = await readIfThere(path, what)
  if (text !== null) return await tokenOf(parseJson(text, path, what), what, context, signal)
  return await metadataToken(context, signal)
}

async function tokenOf(
  file: Readonly<Record<string, unknown>>,
  what: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<GoogleToken> {
  switch (file.type) {
    case 'service_account':
      return await serviceAccountToken(file, what, context, signal)
    case 'authorized_user':
      return await userToken(file, what, context, signal)
    case 'external_account':
      return await externalAccountToken(file, what, context, signal)
    case 'impersonated_service_account': {
      const url = requireUrl(textOf(file.service_account_impersonation_url), 'service_account_impersonation_url')
      const source = Object(file.source_credentials) as Record<string, unknown>
      if (source.type === file.type) break
      return await impersonatedToken(url, await tokenOf(source, what, context, signal), what, context, signal)
    }
  }
  throw new Fault('invalid-config', `${what} is of a type that is not known: '${oneLine(shown(file.type))}'`, {
    fix: 'Give one of type service_account, authorized_user, external_account or impersonated_service_account.',
  })
}

/** The service account of the machine that we run on; null where no metadata server answers, or it has no account. */
async function metadataToken(context: CredentialContext, signal: AbortSignal): Promise<GoogleToken | null> {
  const named = context.environment.GCE_METADATA_HOST
  const host = named || 'metadata.google.internal'
  const base = requireUrl(`http://${host}`, 'GCE_METADATA_HOST')
  const ask = (withinMs?: number): Question => ({
    ...{
      method: 'GET',
      url: new URL('/computeMetadata/v1/instance/service-accounts/default/token', base),
      withinMs,
      signal,
    },
    ...{ headers: { 'metadata-flavor': 'Google' }, to: 'metadata' },
  })
  let question = ask(named ? undefined : probeMs)
  let answer = await askIfThere(question, Boolean(named), context.send)
  if (answer === null) return null
  // Whoever answers at that name without saying so is not Google's server: some networks answer for every name.
  if (answer.headers['metadata-flavor'] !== 'Google') {
    if (!named) return null
    throw new Fault('broken-answer', `${host} of GCE_METADATA_HOST is no metadata server of Google`)
  }
  if (answer.status >= 500 || answer.status === 429) {
    question = ask()
    answer = await context.send(question)
  }
  if (answer.status === 404) return null
  return readToken(answer, question, 'the service account of this machine', 'machine', context)
}
