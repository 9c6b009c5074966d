import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { toFault } from '../../src/core/fault.js'
import { parseReference } from '../../src/core/reference.js'
import { ecrCredentials } from '../../src/registry/credentials/ecr.js'
import { createRegistry } from '../../src/registry/registry.js'
import { startTestRegistry } from '../../src/test-registry/serve.js'
import { judgeSignature } from '../support/aws-signature.js'
import {
  type CloudAnswer,
  type CloudRequest,
  type CloudServer,
  startCloudServer,
  startDeadProxy,
} from '../support/cloud-server.js'
import { leapingClock } from '../support/leaping-clock.js'
import { type OpenedCredentials, openCredentials } from '../support/open-credentials.js'

const repository = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app'
const hour = 60 * 60_000
const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const sessionOf: Readonly<Record<string, string | undefined>> = { ASIAROLE: 'role-session', ASIAPOD: 'pod-session' }

let home: string
let clock = leapingClock()
/** The time of AWS. */
let awsNow = () => clock.now()
let aws: CloudServer
let opened: OpenedCredentials[] = []
/** Answers that come before the usual ones. */
let first: CloudAnswer[] = []
let issued = 0

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-aws-'))
  mkdirSync(join(home, '.aws'))
  clock = leapingClock()
  awsNow = () => clock.now()
  first = []
  issued = 0
  aws = await startCloudServer(answerAsAws)
})
afterEach(async () => {
  for (const one of opened) one.close()
  opened = []
  await aws.close()
  rmSync(home, { recursive: true })
})

const secrets = new Map(['AKIAUSER', 'AKIABASE', 'ASIAROLE', 'ASIAPOD'].map((id) => [id, `${secret}${id}`]))

function answerAsAws(request: CloudRequest): CloudAnswer {
  const date = { date: new Date(awsNow()).toUTCString() }
  const planned = first.shift()
  if (planned !== undefined) return { ...planned, headers: { ...date, ...planned.headers } }
  const form = new URLSearchParams(request.body)
  if (form.get('Action') === 'AssumeRoleWithWebIdentity') {
    if (form.get('WebIdentityToken') !== 'the.jwt')
      return stsError(400, 'InvalidIdentityToken', `got ${form.get('WebIdentityToken')}`)
    return roleAnswer('AssumeRoleWithWebIdentity')
  }
  const { judgement, accessKeyId, scope } = judgeSignature(request, secrets, awsNow())
  if (judgement !== 'good') {
    const message: Record<string, string> = {
      expired: 'Signature expired: 20260501T000000Z is now earlier than 20260501T010000Z',
      'not-yet-current': 'Signature not yet current: 20260501T020000Z is still later than 20260501T010000Z',
    }
    const type = judgement === 'unknown-key' ? 'UnrecognizedClientException' : 'InvalidSignatureException'
    return {
      status: 400,
      headers: date,
      body: { __type: `com.amazon.coral#${type}`, message: message[judgement] ?? judgement },
    }
  }
  if (request.headers['x-amz-security-token'] !== sessionOf[accessKeyId]) {
    return { status: 400, headers: date, body: { __type: 'UnrecognizedClientException', message: 'no such session' } }
  }
  if (form.get('Action') === 'AssumeRole') return roleAnswer('AssumeRole')
  const [, region = '', service = ''] = scope.split('/')
  const isPublic = request.headers['x-amz-target'] === 'SpencerFrontendService.GetAuthorizationToken'
  const isPrivate = request.headers['x-amz-target'] === 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken'
  if (!(isPublic && service === 'ecr-public' && region === 'us-east-1') && !(isPrivate && service === 'ecr')) {
    return {
      status: 400,
      headers: date,
      body: { __type: 'InvalidSignatureException', message: 'Credential should be scoped to' },
    }
  }
  const token = Buffer.from(`AWS:${accessKeyId}.${region}.${++issued}`).toString('base64')
  const data = { authorizationToken: token, expiresAt: (awsNow() + 12 * hour) / 1000, proxyEndpoint: 'https://x' }
  return { headers: date, body: { authorizationData: isPublic ? data : [data] } }
}

function roleAnswer(action: string): CloudAnswer {
  return {
    headers: { 'content-type': 'text/xml' },
    body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
      <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${secret}ASIAROLE</SecretAccessKey>
      <SessionToken>role-session</SessionToken><Expiration>2026-05-01T13:00:00Z</Expiration>
      </Credentials></${action}Result></${action}Response>`,
  }
}

function stsError(status: number, code: string, message: string): CloudAnswer {
  return {
    status,
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  }
}

const keys = { AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: `${secret}AKIAUSER` }

function open(environment: Record<string, string>): OpenedCredentials {
  const common = { HOME: home, AWS_ENDPOINT_URL: aws.url, AWS_EC2_METADATA_DISABLED: 'true' }
  const one = openCredentials(ecrCredentials, { ...common, ...environment }, {}, clock)
  opened.push(one)
  return one
}

const faultOf = async (one: OpenedCredentials, name = repository) =>
  toFault(await one.find(name).then(String, (error) => error))

describe('GetAuthorizationToken', () => {
  it('is signed for the region of the name, fetched once for all who wait, and again before it ends', async () => {
    const one = open(keys)
    const all = await Promise.all([1, 2, 3].map(() => one.reveal(repository)))
    expect(all).toEqual(Array(3).fill('AWS:AKIAUSER.eu-west-1.1'))
    clock.advance(11.9 * hour)
    expect(await one.reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.1')
    clock.advance(3 * 60_000)
    expect(await one.reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.2')
    expect(await one.reveal(repository.replace('eu-west-1', 'us-east-2'))).toBe('AWS:AKIAUSER.us-east-2.3')
    expect(aws.requests).toHaveLength(3)
  })

  it('is the one of ECR Public, in us-east-1, for public.ecr.aws', async () => {
    expect(await open(keys).reveal('public.ecr.aws/nginx/nginx')).toBe('AWS:AKIAUSER.us-east-1.1')
  })

  it('tells a wrong secret and an unknown key as denied, without them, and asks no more for a while', async () => {
    const one = open({ ...keys, AWS_SECRET_ACCESS_KEY: 'a-wrong-secret-of-some-length' })
    const fault = await faultOf(one)
    expect(fault).toMatchObject({ code: 'denied' })
    expect(fault.message).toMatch(
      /^ECR \(GetAuthorizationToken, with keys of the environment .*InvalidSignatureException/,
    )
    expect(JSON.stringify([fault.message, fault.fix, fault.data])).not.toContain('wrong-secret')
    expect((await faultOf(one)).code).toBe('denied')
    expect(aws.requests).toHaveLength(1)
    clock.advance(31_000)
    expect((await faultOf(one)).code).toBe('denied')
    expect(aws.requests).toHaveLength(2)
    expect((await faultOf(open({ ...keys, AWS_ACCESS_KEY_ID: 'AKIANOBODY' }))).message).toContain('UnrecognizedClient')
  })

  it.each([-3, 2])('goes by the clock of AWS where ours is %d hours away', async (hours) => {
    awsNow = () => clock.now() - hours * hour
    expect(await open(keys).reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.1')
    expect(aws.requests).toHaveLength(2)
  })

  it('waits out throttling, and gives up in the end', async () => {
    const throttled = { status: 400, body: { __type: 'ThrottlingException', message: 'Rate exceeded' } }
    first = [throttled, throttled]
    expect(await open(keys).reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.1')
    expect(clock.slept).toEqual([500, 1000])
    first = Array(4).fill(throttled)
    expect((await faultOf(open(keys))).code).toBe('rate-limited')
    first = [{ status: 429, headers: { 'retry-after': '7' } }]
    expect(await open(keys).reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.2')
  })

  it('keeps the old password while it lives when a new one cannot be had for a passing reason', async () => {
    const one = open(keys)
    await one.reveal(repository)
    clock.advance(11.95 * hour)
    first = Array(4).fill({ status: 503 })
    expect(await one.reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.1')
    clock.advance(hour)
    expect(await one.reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.2')
  })

  it.each([
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'api.ecr.eu-west-1.amazonaws.com:443'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'ecr-fips.us-gov-west-1.amazonaws.com:443'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'api.ecr.cn-north-1.amazonaws.com.cn:443'],
    ['123456789012.dkr-ecr.eu-west-1.on.aws', 'ecr.eu-west-1.api.aws:443'],
    ['123456789012.dkr-ecr-fips.us-east-2.on.aws', 'ecr-fips.us-east-2.api.aws:443'],
    ['public.ecr.aws', 'api.ecr-public.us-east-1.amazonaws.com:443'],
  ])('for %s is asked of %s', async (host, target) => {
    const proxy = await startDeadProxy()
    const one = open({ ...keys, AWS_ENDPOINT_URL: '', HTTPS_PROXY: proxy.url })
    expect((await faultOf(one, `${host}/app`)).code).toBe('unreachable')
    expect(new Set(proxy.targets)).toEqual(new Set([target]))
    await proxy.close()
  })

  it('is asked for no name that only looks like one of Amazon', async () => {
    const one = open(keys)
    for (const host of [
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org',
      'x123456789012.dkr.ecr.eu-west-1.amazonaws.com',
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443',
      'docker.io',
    ]) {
      expect(await one.find(`${host}/library/app`)).toBeNull()
    }
    expect(aws.requests).toEqual([])
  })
})

describe('keys of AWS', () => {
  it('come from the files, by AWS_PROFILE', async () => {
    writeFileSync(
      join(home, '.aws', 'credentials'),
      `# keys\n[default]\naws_access_key_id = AKIAUSER\naws_secret_access_key=${secret}AKIAUSER\n`,
    )
    expect(await open({}).reveal(repository)).toBe('AWS:AKIAUSER.eu-west-1.1')
    const config = join(home, 'other-config')
    writeFileSync(
      config,
      `[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = ${secret}AKIABASE\ns3 =\n  max_queue_size = 1\n` +
        '[profile ci]\nrole_arn = arn:aws:iam::123456789012:role/ci\nsource_profile = base\n[profile sso]\nsso_session = corp\n',
    )
    const at = (AWS_PROFILE: string) => open({ AWS_CONFIG_FILE: config, AWS_PROFILE })
    expect(await at('base').reveal(repository)).toBe('AWS:AKIABASE.eu-west-1.2')
    expect(await at('ci').reveal(repository)).toBe('AWS:ASIAROLE.eu-west-1.3')
    expect(await faultOf(at('sso'))).toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('sso_session'),
    })
    expect(await faultOf(at('nobody'))).toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining("'nobody'"),
    })
  })

  it('come from a web identity, whose file is read each time', async () => {
    const file = join(home, 'token')
    writeFileSync(file, 'the.jwt\n')
    const environment = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod' }
    expect(await open(environment).reveal(repository)).toBe('AWS:ASIAROLE.eu-west-1.1')
    const [sts] = aws.requests
    expect(sts?.headers.authorization).toBeUndefined()
    expect(new URLSearchParams(sts?.body).get('RoleArn')).toBe(environment.AWS_ROLE_ARN)
    writeFileSync(file, 'another-jwt-of-some-length')
    const fault = await faultOf(open(environment))
    expect(fault.message).toContain('InvalidIdentityToken: got ***')
    expect(fault).toMatchObject({ code: 'denied', fix: expect.stringContaining('role/pod') })
    rmSync(file)
    expect((await faultOf(open(environment))).code).toBe('file-unreadable')
  })

  it('come from the container, with its authorization token', async () => {
    writeFileSync(join(home, 'token'), 'pod-identity\n')
    const pod = await startCloudServer(({ headers }) =>
      headers.authorization === 'pod-identity'
        ? {
            body: {
              AccessKeyId: 'ASIAPOD',
              SecretAccessKey: `${secret}ASIAPOD`,
              Token: 'pod-session',
              Expiration: '2026-05-01T06:00:00Z',
            },
          }
        : { status: 401, body: 'no' },
    )
    const environment = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${pod.url}/v1/credentials` }
    const file = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(home, 'token') }
    expect(await open({ ...environment, ...file }).reveal(repository)).toBe('AWS:ASIAPOD.eu-west-1.1')
    expect((await faultOf(open({ ...environment, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'wrong' }))).code).toBe('denied')
    const plain = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://pods.example.com/v1' }
    expect((await faultOf(open(plain))).code).toBe('invalid-config')
    await pod.close()
  })

  it('come from the role of the instance by IMDSv2, which the environment may name', async () => {
    const imds = await startCloudServer(({ method, path, headers }) => {
      if (method === 'PUT' && path === '/latest/api/token') {
        return headers['x-aws-ec2-metadata-token-ttl-seconds'] === '21600' ? { body: 'session-1' } : { status: 400 }
      }
      if (headers['x-aws-ec2-metadata-token'] !== 'session-1') return { status: 401 }
      if (path === '/latest/meta-data/iam/security-credentials/') return { body: 'web-role' }
      if (path !== '/latest/meta-data/iam/security-credentials/web-role') return { status: 404 }
      return {
        body: { Code: 'Success', AccessKeyId: 'ASIAPOD', SecretAccessKey: `${secret}ASIAPOD`, Token: 'pod-session' },
      }
    })
    const environment = { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: imds.url }
    const one = open(environment)
    expect(await one.reveal(repository)).toBe('AWS:ASIAPOD.eu-west-1.1')
    // Nobody chose the role of an instance for a registry that is open to all.
    expect(await one.find('public.ecr.aws/nginx/nginx')).toBeNull()
    await imds.close()
    expect((await faultOf(open(environment))).code).toBe('unreachable')
  })

  it('are nobody’s where nothing is configured', async () => {
    expect(await open({}).find(repository)).toBeNull()
    expect(aws.requests).toEqual([])
  })

  it('are refused where only half of them is there', async () => {
    expect((await faultOf(open({ AWS_ACCESS_KEY_ID: 'AKIAUSER' }))).code).toBe('invalid-config')
    expect((await faultOf(open({ AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }))).code).toBe('invalid-config')
  })
})

describe('a registry of kind ecr', () => {
  it('is sent the password as Basic, and a new one after a 403 for an old one', async () => {
    const server = await startTestRegistry({ clock, script: { auth: 'basic', users: { AWS: 'AKIAUSER.eu-west-1.1' } } })
    const registries = { [server.address]: { kind: 'ecr' as const, apiUrl: aws.url } }
    const environment = { HOME: home, ...keys, AWS_REGION: 'eu-west-1' }
    const registry = createRegistry({ clock, random: () => 0.5, environment, registries })
    const look = () => registry.head(parseReference(`${server.address}/demo/app:1.0`), { cost: noCost() })
    await look()
    server.setScript({
      auth: 'basic',
      users: { AWS: 'AKIAUSER.eu-west-1.2' },
      rules: [{ times: 1, do: { status: 403 } }],
    })
    clock.advance(6 * 60_000)
    await look()
    expect(aws.requests).toHaveLength(2)
    // What a fresh password may not see is denied, at no further call.
    server.setScript({ auth: 'basic', rules: [{ do: { status: 403 } }] })
    expect(toFault(await look().catch((error) => error)).code).toBe('denied')
    expect(aws.requests).toHaveLength(2)
    registry.close()
    await server.close()
  })
})
