import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { toFault } from '../../src/core/fault.js'
import { parseReference } from '../../src/core/reference.js'
import { acrCredentials } from '../../src/registry/credentials/acr.js'
import { createRegistry } from '../../src/registry/registry.js'
import { makeCertificate } from '../support/certificate.js'
import {
  type CloudAnswer,
  type CloudRequest,
  type CloudServer,
  startCloudServer,
  startDeadProxy,
} from '../support/cloud-server.js'
import { leapingClock } from '../support/leaping-clock.js'
import { describeWith } from '../support/needs.js'
import { type OpenedCredentials, openCredentials } from '../support/open-credentials.js'

const tenant = '72f988bf-0000-0000-0000-2d7cd011db47'
const client = 'c0ffee00-0000-0000-0000-000000000001'
const image = 'tidemark.azurecr.io/team/app'
const secret = 'a-client-secret~with.odd+characters'
const digest = `sha256:${'a'.repeat(64)}`
const minute = 60_000

let folder: string
let certificates: { own: string; other: string; publicKey: KeyObject; thumbprint: string }
let clock = leapingClock()
/** The time of Azure. */
let azureNow = () => clock.now()
let azure: CloudServer
let opened: OpenedCredentials[] = []
let first: CloudAnswer[] = []
let issued = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-azure-'))
  const pemOf = (name: string) => {
    const { cert, key } = makeCertificate(folder, name, 'tidemark.example.com')
    const path = join(folder, `${name}.pem`)
    writeFileSync(path, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'))
    return path
  }
  const [own, other] = [pemOf('own'), pemOf('other')]
  const { publicKey, raw } = new X509Certificate(readFileSync(join(folder, 'own.crt')))
  const thumbprint = createHash('sha256').update(raw).digest('base64url')
  certificates = { own, other, publicKey, thumbprint }
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(async () => {
  clock = leapingClock()
  azureNow = () => clock.now()
  first = []
  issued = 0
  azure = await startCloudServer(answerAsAzure)
})
afterEach(async () => {
  for (const one of opened) one.close()
  opened = []
  await azure.close()
})

/** Entra, both managed identity endpoints, and a registry. */
async function answerAsAzure(request: CloudRequest): Promise<CloudAnswer> {
  const planned = first.shift()
  if (planned !== undefined) return planned
  const url = new URL(request.path, azure.url)
  const form = new URLSearchParams(request.body)
  switch (url.pathname) {
    case `/${tenant}/oauth2/v2.0/token`:
      return await logIn(form)
    case '/msi/token':
      if (request.headers['x-identity-header'] !== 'app-secret' || url.searchParams.get('api-version') !== '2019-08-01')
        return { status: 401 }
      return managed(url)
    case '/metadata/identity/oauth2/token':
      if (request.headers.metadata !== 'true' || url.searchParams.get('api-version') !== '2018-02-01')
        return { status: 400 }
      return managed(url)
    case '/oauth2/exchange': {
      if (form.get('grant_type') !== 'access_token' || !form.get('access_token')?.startsWith('entra-'))
        return unauthorized
      const exp = Math.floor((azureNow() + 180 * minute) / 1000)
      const claims = { n: ++issued, service: form.get('service'), tenant: form.get('tenant') ?? '' }
      const token = await new SignJWT({ ...claims, exp }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32))
      return { body: { refresh_token: token } }
    }
    case '/oauth2/token':
      if (form.get('grant_type') !== 'refresh_token' || form.get('service') !== azure.host) return unauthorized
      return { body: { access_token: `access.${form.get('scope')}.${payloadOf(form.get('refresh_token') ?? '').n}` } }
    case '/v2/team/app/manifests/1.0':
      return request.headers.authorization?.startsWith('Bearer access.repository:team/app:pull.')
        ? { headers: { 'docker-content-digest': digest, 'content-type': 'application/vnd.oci.image.index.v1+json' } }
        : {
            status: 401,
            headers: { 'www-authenticate': `Bearer realm="${azure.url}/oauth2/token",service="${azure.host}"` },
          }
  }
  return { status: 404 }
}

const unauthorized = { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] } }

async function logIn(form: URLSearchParams): Promise<CloudAnswer> {
  const headers = { date: new Date(azureNow()).toUTCString() }
  const refused = (description: string): CloudAnswer => ({
    ...{ status: 401, headers },
    body: { error: 'invalid_client', error_description: `${description}\r\nTrace ID: 1` },
  })
  const good = { headers, body: { access_token: `entra-${++issued}`, expires_in: 3599 } }
  if (form.get('scope') !== 'https://containerregistry.azure.net/.default' || form.get('client_id') !== client)
    return refused('AADSTS70011')
  if (form.has('client_secret'))
    return form.get('client_secret') === secret ? good : refused(`AADSTS7000215: ${form.get('client_secret')}`)
  const assertion = form.get('client_assertion') ?? ''
  if (assertion === 'federated.jwt') return good
  try {
    const audience = `${azure.url}/${tenant}/oauth2/v2.0/token`
    const { protectedHeader } = await jwtVerify(assertion, certificates.publicKey, {
      ...{ algorithms: ['PS256'], issuer: client, subject: client, audience, currentDate: new Date(azureNow()) },
      ...{ clockTolerance: 300, requiredClaims: ['jti', 'nbf', 'exp'] },
    })
    return protectedHeader['x5t#S256'] === certificates.thumbprint ? good : refused('AADSTS700027: thumbprint')
  } catch (error) {
    return refused(`AADSTS700024: ${(error as Error).message}`)
  }
}

function managed(url: URL): CloudAnswer {
  if (url.searchParams.get('resource') !== 'https://containerregistry.azure.net') return { status: 400 }
  if (url.searchParams.get('client_id') === 'unknown')
    return { status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } }
  return {
    body: { access_token: `entra-${++issued}`, expires_in: '86400', expires_on: '1777680000', token_type: 'Bearer' },
  }
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

function open(environment: Record<string, string>): OpenedCredentials {
  const registries = { 'tidemark.azurecr.io': { apiUrl: azure.url } }
  const one = openCredentials(
    acrCredentials,
    { AZURE_AUTHORITY_HOST: `${azure.url}/`, ...environment },
    registries,
    clock,
  )
  opened.push(one)
  return one
}

const ids = { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client }
const faultOf = async (one: OpenedCredentials) => toFault(await one.find(image).then(String, (error) => error))
const claimsOf = async (one: OpenedCredentials) => payloadOf((await one.reveal(image)) ?? '')

describeWith({ programs: ['openssl'] }, 'Azure Container Registry', () => {
  it('exchanges a client secret for a refresh token, once, and again before it ends', async () => {
    const one = open({ ...ids, AZURE_CLIENT_SECRET: secret })
    const all = await Promise.all([claimsOf(one), claimsOf(one)])
    expect(all).toEqual(Array(2).fill(expect.objectContaining({ n: 2, service: 'tidemark.azurecr.io', tenant })))
    clock.advance(170 * minute)
    expect(await claimsOf(one)).toMatchObject({ n: 2 })
    clock.advance(6 * minute)
    expect(await claimsOf(one)).toMatchObject({ n: 4 })
    expect(azure.requests).toHaveLength(4)
  })

  it('tells a wrong secret as denied, in the words of Entra, without it', async () => {
    const fault = await faultOf(open({ ...ids, AZURE_CLIENT_SECRET: 'a-wrong-secret-of-some-length' }))
    expect(fault.code).toBe('denied')
    expect(fault.message).toMatch(
      /^Microsoft Entra .*AZURE_CLIENT_SECRET.* answers 401: invalid_client: AADSTS7000215: \*\*\*$/,
    )
    expect((await faultOf(open({ AZURE_CLIENT_SECRET: secret }))).code).toBe('invalid-config')
  })

  it('signs with a client certificate, by the clock of Azure where ours is wrong', async () => {
    const environment = { ...ids, AZURE_CLIENT_CERTIFICATE_PATH: certificates.own }
    expect(await claimsOf(open(environment))).toMatchObject({ tenant })
    azureNow = () => clock.now() + 90 * minute
    expect(await claimsOf(open(environment))).toMatchObject({ tenant })
    expect((await faultOf(open({ ...ids, AZURE_CLIENT_CERTIFICATE_PATH: certificates.other }))).code).toBe('denied')
    const half = await faultOf(open({ ...ids, AZURE_CLIENT_CERTIFICATE_PATH: join(folder, 'own.key') }))
    expect([half.code, half.cause]).toEqual(['invalid-config', undefined])
  })

  it('shows a federated token, whose file is read each time', async () => {
    const file = join(folder, 'federated')
    writeFileSync(file, 'federated.jwt\n')
    const environment = { ...ids, AZURE_FEDERATED_TOKEN_FILE: file }
    expect(await claimsOf(open(environment))).toMatchObject({ tenant })
    writeFileSync(file, 'another.jwt')
    expect((await faultOf(open(environment))).code).toBe('denied')
    rmSync(file)
    expect((await faultOf(open(environment))).code).toBe('file-unreadable')
  })

  it('uses the identity of an app, and of a machine', async () => {
    const app = { IDENTITY_ENDPOINT: `${azure.url}/msi/token`, IDENTITY_HEADER: 'app-secret' }
    expect(await claimsOf(open(app))).toMatchObject({ n: 2, tenant: '' })
    expect((await faultOf(open({ ...app, IDENTITY_HEADER: 'wrong' }))).code).toBe('denied')
    const machine = { AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.url }
    expect(await claimsOf(open(machine))).toMatchObject({ tenant: '' })
    expect((await faultOf(open({ ...machine, AZURE_CLIENT_ID: 'unknown' }))).message).toContain('Identity not found')
    expect((await faultOf(open({ IDENTITY_ENDPOINT: 'http://127.0.0.1:1/msi', IDENTITY_HEADER: 'x' }))).code).toBe(
      'unreachable',
    )
  })

  it('waits out throttling; a registry that refuses and nonsense stay apart', async () => {
    first = [{ status: 429, headers: { 'retry-after': '5' } }, { status: 503 }]
    expect(await claimsOf(open({ ...ids, AZURE_CLIENT_SECRET: secret }))).toMatchObject({ n: 2 })
    first = [{ body: { access_token: 'not-of-entra' } }]
    const refused = await faultOf(open({ ...ids, AZURE_CLIENT_SECRET: secret }))
    expect(refused).toMatchObject({
      code: 'denied',
      message: expect.stringContaining('tidemark.azurecr.io (oauth2/exchange'),
    })
    first = [{ body: '<html>' }]
    expect((await faultOf(open({ ...ids, AZURE_CLIENT_SECRET: secret }))).code).toBe('broken-answer')
  })

  it.each([
    ['tidemark.azurecr.io', 'login.microsoftonline.com:443'],
    ['tidemark.azurecr.cn', 'login.chinacloudapi.cn:443'],
    ['tidemark.azurecr.us', 'login.microsoftonline.us:443'],
  ])('for %s logs in at %s', async (host, target) => {
    const proxy = await startDeadProxy()
    const one = open({ ...ids, AZURE_CLIENT_SECRET: secret, AZURE_AUTHORITY_HOST: '', HTTPS_PROXY: proxy.url })
    expect(toFault(await one.find(`${host}/app`).catch((error) => error)).code).toBe('unreachable')
    expect(new Set(proxy.targets)).toEqual(new Set([target]))
    await proxy.close()
  })

  it('is not asked for hosts of others', async () => {
    const one = open({ ...ids, AZURE_CLIENT_SECRET: secret })
    for (const host of ['tidemark.azurecr.io.example.org', 'azurecr.io', 'x.y.azurecr.io', 'quay.io']) {
      expect(await one.find(`${host}/app`)).toBeNull()
    }
    expect(azure.requests).toEqual([])
  })

  it('gets an access token for each repository with the refresh token', async () => {
    const registries = { [azure.host]: { kind: 'acr' as const, apiUrl: azure.url } }
    const environment = { ...ids, AZURE_CLIENT_SECRET: secret, AZURE_AUTHORITY_HOST: azure.url }
    const registry = createRegistry({ clock, random: () => 0.5, environment, registries })
    const head = await registry.head(parseReference(`${azure.host}/team/app:1.0`), { cost: noCost() })
    expect(head.digest).toBe(digest)
    expect(azure.count('POST', '/oauth2/exchange')).toBe(1)
    expect(azure.count('POST', '/oauth2/token')).toBe(1)
    registry.close()
  })
})
