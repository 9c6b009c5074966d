import { Fault } from '../../../core/fault.js'
import type { CredentialContext } from '../credential.js'
import { askIfThere, probeMs, type Question, readObject, refusal, requireText } from '../question.js'
import { requireUrl } from '../secret-file.js'
import { type EntraToken, resource, wordsOf } from './entra.js'

/**
 * The token of the machine, app or function that we run in: App Service and Container Apps where `IDENTITY_ENDPOINT` and
 * `IDENTITY_HEADER` are set (API version 2019-08-01), else the metadata service (2018-02-01); null where there is neither.
 * `AZURE_CLIENT_ID` chooses one of several identities.
 * @throws Fault `denied`, `broken-answer`; `unreachable` where the environment names the endpoint
 */
export async function managedIdentityToken(
  context: CredentialContext,
  signal: AbortSignal,
): Promise<EntraToken | null> {
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header, AZURE_CLIENT_ID: client } = context.environment
  const { AZURE_POD_IDENTITY_AUTHORITY_HOST: named } = context.environment
  if (endpoint && !header) {
    throw new Fault(
      'invalid-config',
      'IDENTITY_ENDPOINT has no IDENTITY_HEADER beside it (Azure Arc), which Tidemark cannot use',
      {
        fix: 'Log in with AZURE_CLIENT_ID and AZURE_CLIENT_CERTIFICATE_PATH, or with `az acr login --name NAME`.',
      },
    )
  }
  const url = endpoint
    ? requireUrl(endpoint, 'IDENTITY_ENDPOINT')
    : new URL('/metadata/identity/oauth2/token', requireUrl(named || metadataUrl, 'AZURE_POD_IDENTITY_AUTHORITY_HOST'))
  url.searchParams.set('api-version', endpoint ? '2019-08-01' : '2018-02-01')
  url.searchParams.set('resource', resource)
  if (client) url.searchParams.set('client_id', client)
  const isNamed = Boolean(endpoint || named)
  const question: Question = {
    ...{ method: 'GET', url, to: 'metadata', signal, withinMs: isNamed ? undefined : probeMs },
    headers: endpoint && header ? { 'x-identity-header': header } : { metadata: 'true' },
  }
  return await ask(question, isNamed, context)
}

async function ask(
  question: Question,
  isNamed: boolean,
  { send, environment }: CredentialContext,
): Promise<EntraToken | null> {
  const client = environment.AZURE_CLIENT_ID
  const who = 'the managed identity endpoint of Azure'
  let answer = await askIfThere(question, isNamed, send)
  if (answer !== null && (answer.status === 429 || answer.status >= 500)) {
    answer = await askIfThere({ ...question, withinMs: undefined }, isNamed, send)
  }
  if (answer === null) return null
  // The machine has no identity, or the address is another cloud's: nobody configured anything.
  if (!isNamed && !client && answer.status >= 400 && answer.status < 500 && answer.status !== 429) return null
  if (answer.status !== 200) {
    throw refusal(
      answer,
      question,
      who,
      wordsOf(answer),
      'Check the identity of the machine or app, and AZURE_CLIENT_ID.',
    )
  }
  const token = requireText(readObject(answer, who), 'access_token', who)
  return {
    token,
    identity: `managed ${client ?? ''}`,
    tenant: environment.AZURE_TENANT_ID,
    from: 'the managed identity',
  }
}

const metadataUrl = 'http://169.254.169.254'
