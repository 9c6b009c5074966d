import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errors, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { toFault } from '../../src/core/fault.js'
import { parseReference } from '../../src/core/reference.js'
import { garCredentials } from '../../src/registry/credentials/gar.js'
import { createRegistry } from '../../src/registry/registry.js'
import { startTestRegistry } from '../../src/test-registry/serve.js'
import { type CloudAnswer, type CloudRequest, type CloudServer, startCloudServer } from '../support/cloud-server.js'
import { leapingClock } from '../support/leaping-clock.js'
import { type OpenedCredentials, openCredentials } from '../support/open-credentials.js'

const image = 'europe-west1-docker.pkg.dev/project/repo/app'
const email = 'reader@project.iam.gserviceaccount.com'
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
const hour = 60 * 60_000
const pem = (key = pair.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

let home: string
let clock = leapingClock()
/** The time of Google. */
let googleNow = () => clock.now()
let google: CloudServer
let opened: OpenedCredentials[] = []
/** What comes before the usual answers. */
let first: CloudAnswer[] = []
let issued = 0

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-google-'))
  clock = leapingClock()
  googleNow = () => clock.now()
  first = []
  issued = 0
  google = await startCloudServer(answerAsGoogle)
})
afterEach(async () => {
  for (const one of opened) one.close()
  opened = []
  await google.close()
  rmSync(home, { recursive: true })
})

async function answerAsGoogle(request: CloudRequest): Promise<CloudAnswer> {
  const headers = { date: new Date(googleNow()).toUTCString() }
  const planned = first.shift()
  if (planned !== undefined) return planned
  const form = new URLSearchParams(request.body)
  const token = (name: string): CloudAnswer => ({
    headers,
    body: { access_token: `${name}-${++issued}`, expires_in: 3599, token_type: 'Bearer' },
  })
  const refused = (description: string): CloudAnswer => ({
    ...{ status: 400, headers },
    body: { error: 'invalid_grant', error_description: description },
  })
  switch (`${request.path} ${form.get('grant_type')?.split(':').at(-1)}`) {
    case '/token jwt-bearer': {
      try {
        const { payload } = await jwtVerify(form.get('assertion') ?? '', pair.publicKey, {
          ...{
            issuer: email,
            audience: `${google.url}/token`,
            algorithms: ['RS256'],
            currentDate: new Date(googleNow()),
          },
          ...{ clockTolerance: 300, maxTokenAge: 3600, requiredClaims: ['iat', 'exp', 'scope'] },
        })
        return payload.scope === 'https://www.googleapis.com/auth/cloud-platform' ? token('account') : refused('scope')
      } catch (error) {
        const isTime = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed
        return refused(isTime ? 'Invalid JWT: Token must be a short-lived token' : 'Invalid JWT Signature.')
      }
    }
    case '/token refresh_token':
      return form.get('refresh_token') === 'refresh' && form.get('client_secret') === 'client-secret'
        ? token('user')
        : refused('Token has been expired or revoked.')
    case '/sts token-exchange':
      return form.get('subject_token') === 'outside.jwt' && form.get('audience') === '//iam.googleapis.com/pool'
        ? token('federated')
        : refused(`The given token ${form.get('subject_token')} is not valid`)
    case '/impersonate undefined':
      return request.headers.authorization?.startsWith('Bearer ')
        ? {
            headers,
            body: { accessToken: `robot-${++issued}`, expireTime: new Date(googleNow() + hour).toISOString() },
          }
        : { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } } }
    case '/subject undefined':
      return request.headers.authorization === 'Bearer ci' ? { body: { value: 'outside.jwt' } } : { status: 401 }
    case '/computeMetadata/v1/instance/service-accounts/default/token undefined':
      return request.headers['metadata-flavor'] === 'Google'
        ? { headers: { 'metadata-flavor': 'Google' }, body: { access_token: `machine-${++issued}`, expires_in: 240 } }
        : { status: 403 }
  }
  return { status: 404 }
}

function write(path: string, content: object): string {
  const file = join(home, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, JSON.stringify(content))
  return file
}

function open(environment: Record<string, string>): OpenedCredentials {
  const one = openCredentials(garCredentials, { HOME: home, ...environment }, {}, clock)
  opened.push(one)
  return one
}

const openFile = (content: object) => open({ GOOGLE_APPLICATION_CREDENTIALS: write('key.json', content) })
const faultOf = async (one: OpenedCredentials) => toFault(await one.find(image).then(String, (error) => error))
const account = (more: object = {}) => ({
  ...{
    type: 'service_account',
    client_email: email,
    private_key: pem(),
    private_key_id: 'k1',
    token_uri: `${google.url}/token`,
  },
  ...more,
})
const external = (credential_source: object, more: object = {}) => ({
  ...{
    type: 'external_account',
    audience: '//iam.googleapis.com/pool',
    token_url: `${google.url}/sts`,
    credential_source,
  },
  ...{ subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', ...more },
})

describe('a service account key', () => {
  it('signs for a token, once for all hosts, again before it ends', async () => {
    const one = openFile(account())
    const hosts = [image, 'gcr.io/project/app', 'eu.gcr.io/project/app', 'docker.us-east1.rep.pkg.dev/project/repo/app']
    expect(await Promise.all(hosts.map((name) => one.reveal(name)))).toEqual(
      Array(4).fill('oauth2accesstoken:account-1'),
    )
    clock.advance(0.9 * hour)
    expect(await one.reveal(image)).toBe('oauth2accesstoken:account-1')
    clock.advance(2 * 60_000)
    expect(await one.reveal(image)).toBe('oauth2accesstoken:account-2')
  })

  it('is denied with a key that is not the account’s, and its key is not shown', async () => {
    const fault = await faultOf(openFile(account({ private_key: pem(other.privateKey) })))
    expect(fault).toMatchObject({ code: 'denied', message: expect.stringContaining('Invalid JWT Signature.') })
    const broken = await faultOf(openFile(account({ private_key: 'no key at all' })))
    expect([broken.code, broken.cause]).toEqual(['invalid-config', undefined])
    expect(broken.message).not.toContain('no key at all')
  })

  it.each([-2, 3])('goes by the clock of Google where ours is %d hours away', async (hours) => {
    googleNow = () => clock.now() - hours * hour
    expect(await openFile(account()).reveal(image)).toBe('oauth2accesstoken:account-1')
    expect(google.requests).toHaveLength(2)
  })

  it('waits out throttling; trouble, nonsense and a closed door stay apart', async () => {
    first = [{ status: 429, headers: { 'retry-after': '3' } }, { status: 503 }]
    expect(await openFile(account()).reveal(image)).toBe('oauth2accesstoken:account-1')
    first = [{ body: '<html>log in</html>' }]
    expect((await faultOf(openFile(account()))).code).toBe('broken-answer')
    first = [{ body: { access_token: 'no\nheader', expires_in: 60 } }]
    expect((await faultOf(openFile(account()))).code).toBe('broken-answer')
    first = [{ status: 302, headers: { location: 'https://evil.example' } }]
    expect((await faultOf(openFile(account()))).code).toBe('broken-answer')
    expect((await faultOf(openFile(account({ token_uri: 'http://127.0.0.1:1/token' })))).code).toBe('unreachable')
  })

  it('is sent to no address that is not encrypted', async () => {
    expect((await faultOf(openFile(account({ token_uri: 'http://tokens.example.com/' })))).code).toBe('invalid-config')
  })
})

describe('other kinds of files', () => {
  it('a refresh token that gcloud left, below CLOUDSDK_CONFIG or the home folder', async () => {
    const user = { type: 'authorized_user', client_id: 'id', client_secret: 'client-secret', refresh_token: 'refresh' }
    write('.config/gcloud/application_default_credentials.json', { ...user, token_uri: `${google.url}/token` })
    expect(await open({}).reveal(image)).toBe('oauth2accesstoken:user-1')
    write('gcloud/application_default_credentials.json', {
      ...user,
      token_uri: `${google.url}/token`,
      refresh_token: 'a-revoked-refresh-token',
    })
    const fault = await faultOf(open({ CLOUDSDK_CONFIG: join(home, 'gcloud') }))
    expect(fault.message).toContain("gcloud's application_default_credentials.json")
    expect(fault).toMatchObject({ code: 'denied', message: expect.stringContaining('expired or revoked') })
  })

  it('workload identity from a file, read each time, with the token taken out of messages', async () => {
    const file = join(home, 'token')
    writeFileSync(file, 'outside.jwt\n')
    expect(await openFile(external({ file })).reveal(image)).toBe('oauth2accesstoken:federated-1')
    writeFileSync(file, 'a-token-that-nobody-may-see')
    expect((await faultOf(openFile(external({ file })))).message).toContain('The given token *** is not valid')
    rmSync(file)
    expect((await faultOf(openFile(external({ file })))).code).toBe('file-unreadable')
  })

  it('workload identity from a URL, for a service account', async () => {
    const format = { type: 'json', subject_token_field_name: 'value' }
    const source = { url: `${google.url}/subject`, headers: { Authorization: 'Bearer ci' }, format }
    const more = { service_account_impersonation_url: `${google.url}/impersonate` }
    expect(await openFile(external(source, more)).reveal(image)).toBe('oauth2accesstoken:robot-2')
    expect((await faultOf(openFile(external({ ...source, headers: {} }, more)))).code).toBe('denied')
    expect((await faultOf(openFile(external({ environment_id: 'aws1', url: 'http://x' })))).code).toBe('invalid-config')
  })

  it('impersonation with the user’s own token', async () => {
    const file = {
      type: 'impersonated_service_account',
      service_account_impersonation_url: `${google.url}/impersonate`,
    }
    expect(await openFile({ ...file, source_credentials: account() }).reveal(image)).toBe('oauth2accesstoken:robot-2')
  })

  it('that are none', async () => {
    expect((await faultOf(openFile({ type: 'something' }))).code).toBe('invalid-config')
    const missing = open({ GOOGLE_APPLICATION_CREDENTIALS: join(home, 'not-there') })
    expect((await faultOf(missing)).code).toBe('file-unreadable')
  })
})

describe('the metadata server', () => {
  it('gives the machine’s token, which may have little time left', async () => {
    const one = open({ GCE_METADATA_HOST: google.host })
    expect(await one.reveal(image)).toBe('oauth2accesstoken:machine-1')
    clock.advance(110_000)
    expect(await one.reveal(image)).toBe('oauth2accesstoken:machine-1')
    clock.advance(20_000)
    expect(await one.reveal(image)).toBe('oauth2accesstoken:machine-2')
  })

  it('has no account; is none; is not there', async () => {
    first = [{ status: 404, headers: { 'metadata-flavor': 'Google' } }]
    expect(await open({ GCE_METADATA_HOST: google.host }).find(image)).toBeNull()
    first = [{ body: 'a page of somebody else' }]
    expect((await faultOf(open({ GCE_METADATA_HOST: google.host }))).code).toBe('broken-answer')
    expect((await faultOf(open({ GCE_METADATA_HOST: '127.0.0.1:1' }))).code).toBe('unreachable')
  })

  it('is not asked for hosts of others', async () => {
    const one = open({ GCE_METADATA_HOST: google.host })
    for (const host of ['ghcr.io', 'gcr.io.example.org', 'x-docker.pkg.dev.example.org', 'mirror.gcr.io', 'xgcr.io']) {
      expect(await one.find(`${host}/org/app`)).toBeNull()
    }
    expect(google.requests).toEqual([])
  })
})

describe('a registry of kind gar', () => {
  it('gets the token as a password for its own token', async () => {
    const server = await startTestRegistry({
      clock,
      script: { auth: 'bearer', users: { oauth2accesstoken: 'account-1' } },
    })
    const environment = { HOME: home, GOOGLE_APPLICATION_CREDENTIALS: write('key.json', account()) }
    const registries = { [server.address]: { kind: 'gar' as const } }
    const registry = createRegistry({ clock, random: () => 0.5, environment, registries })
    await registry.head(parseReference(`${server.address}/demo/app:1.0`), { cost: noCost() })
    expect(server.requests.counts()).toEqual({ 'HEAD manifest': 2, 'GET token': 1 })
    registry.close()
    await server.close()
  })
})
