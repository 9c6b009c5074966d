import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { Fault } from '../../../core/fault.js'
import type { HttpResponse } from '../../../http/send.js'
import type { CredentialContext } from '../credential.js'
import { clockSkewMs, formQuestion, type Question, readObject, refusal, requireText } from '../question.js'
import { readSecretFile, requireUrl } from '../secret-file.js'
import { type EntraToken, resource, wordsOf } from './entra.js'
import { managedIdentityToken } from './managed-identity.js'

/** Entra refuses assertions that live longer than a day; Microsoft's libraries make them for ten minutes. */
const assertionLifetimeMs = 10 * 60_000

/**
 * The token that Azure's own libraries would get: client secret, client certificate, federated token, managed identity (the
 * order of DefaultAzureCredential); null where nothing is configured and there is no managed identity.
 * @param authority where to log in, unless `AZURE_AUTHORITY_HOST` says
 * @throws Fault `invalid-config`, `file-unreadable`, `denied`, and what sending throws
 */
export async function entraToken(
  authority: string,
  context: CredentialContext,
  signal: AbortSignal,
): Promise<EntraToken | null> {
  const { environment } = context
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client, AZURE_CLIENT_SECRET: secret } = environment
  const { AZURE_CLIENT_CERTIFICATE_PATH: certificate, AZURE_FEDERATED_TOKEN_FILE: federated } = environment
  const name = secret
    ? 'AZURE_CLIENT_SECRET'
    : certificate
      ? 'AZURE_CLIENT_CERTIFICATE_PATH'
      : federated
        ? 'AZURE_FEDERATED_TOKEN_FILE'
        : null
  if (name === null) return await managedIdentityToken(context, signal)
  if (!tenant || !client || !/^[\w.-]+$/.test(tenant)) {
    throw new Fault('invalid-config', `${name} needs AZURE_TENANT_ID and AZURE_CLIENT_ID beside it`, {
      fix: `Set both, or unset ${name}.`,
    })
  }
  const base = requireUrl(environment.AZURE_AUTHORITY_HOST || authority, 'AZURE_AUTHORITY_HOST')
  const url = new URL(`${base.href.replace(/\/+$/, '')}/${tenant}/oauth2/v2.0/token`)
  const login: Login = { url, tenant, client, name, context, signal }
  if (secret) return await logIn(login, { client_secret: secret })
  if (certificate) return await logInWithCertificate(certificate, login)
  const assertion = (await readSecretFile(federated ?? '', name)).trim()
  return await logIn(login, { client_assertion_type: assertionType, client_assertion: assertion })
}

interface Login {
  readonly url: URL
  readonly tenant: string
  readonly client: string
  /** The variable that the secret comes from. */
  readonly name: string
  readonly context: CredentialContext
  readonly signal: AbortSignal
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function logIn(login: Login, proof: Readonly<Record<string, string>>): Promise<EntraToken> {
  const question = questionOf(login, proof)
  return readEntra(await login.context.send(question), question, login)
}

/** An assertion that is refused because our clock is wrong is made again by the time of Entra. */
async function logInWithCertificate(path: string, login: Login): Promise<EntraToken> {
  const { context } = login
  const sign = await readSigner(path, login)
  const ask = async (nowMs: number) => {
    const proof = { client_assertion_type: assertionType, client_assertion: await sign(nowMs) }
    const question = questionOf(login, proof)
    return { question, answer: await context.send(question) }
  }
  let asked = await ask(context.clock.now())
  const skewMs = clockSkewMs(asked.answer, context.clock.now())
  if (asked.answer.status >= 400 && skewMs !== 0) asked = await ask(context.clock.now() + skewMs)
  return readEntra(asked.answer, asked.question, login)
}

/** "Microsoft identity platform application authentication certificate credentials": PS256, `x5t#S256`. */
async function readSigner(
  path: string,
  { url, client, name, context }: Login,
): Promise<(nowMs: number) => Promise<string>> {
  const pem = await readSecretFile(path, name)
  const { AZURE_CLIENT_CERTIFICATE_PASSWORD: passphrase, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN } = context.environment
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  const { SignJWT } = await import('jose')
  try {
    const key = createPrivateKey({ key: pem, ...(passphrase && { passphrase }) })
    const chain = blocks.map((block) => new X509Certificate(block).raw)
    const own = chain[0] ?? Buffer.alloc(0)
    if (own.length === 0 || key.asymmetricKeyType !== 'rsa') throw new Fault('invalid-config', 'no RSA pair')
    const isChainSent = /^(1|true)$/i.test(AZURE_CLIENT_SEND_CERTIFICATE_CHAIN ?? '')
    const header = {
      ...{ alg: 'PS256', typ: 'JWT', 'x5t#S256': createHash('sha256').update(own).digest('base64url') },
      ...(isChainSent && { x5c: chain.map((der) => der.toString('base64')) }),
    }
    return (nowMs) => {
      const seconds = Math.floor(nowMs / 1000)
      return new SignJWT({ jti: randomUUID() })
        .setProtectedHeader(header)
        .setIssuer(client)
        .setSubject(client)
        .setAudience(url.href)
        .setNotBefore(seconds)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + assertionLifetimeMs / 1000)
        .sign(key)
    }
  } catch {
    // The cause could quote the key.
    throw new Fault('invalid-config', `the file of ${name} holds no certificate with its RSA key as PEM`, {
      fix: 'Give a PEM file with both; a .pfx is turned into one by `openssl pkcs12 -nodes`.',
    })
  }
}

function questionOf({ url, client, signal }: Login, proof: Readonly<Record<string, string>>): Question {
  const parameters = { grant_type: 'client_credentials', client_id: client, scope: `${resource}/.default`, ...proof }
  return formQuestion(url, parameters, signal)
}

function readEntra(answer: HttpResponse, question: Question, { client, tenant, name }: Login): EntraToken {
  const who = `Microsoft Entra (${question.url.host}, with ${name})`
  if (answer.status !== 200)
    throw refusal(answer, question, who, wordsOf(answer), `Check ${name}, AZURE_CLIENT_ID and AZURE_TENANT_ID.`)
  const token = requireText(readObject(answer, who), 'access_token', who)
  return { token, identity: `${tenant} ${client}`, tenant, from: name }
}
