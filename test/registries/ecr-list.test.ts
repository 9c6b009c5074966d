import { describe, expect, it } from 'vitest'
import { noCost } from '../../src/core/cost.js'
import { judgeSignature } from '../support/aws-signature.js'
import { type CloudAnswer, type CloudRequest, startDeadProxy } from '../support/cloud-server.js'
import { bearsHostileAnswers, digest, listServer } from '../support/digest-list.js'

const secrets = new Map([['AKIAUSER', 'secret-of-the-user']])
const keys = { AWS_ACCESS_KEY_ID: 'AKIAUSER', AWS_SECRET_ACCESS_KEY: 'secret-of-the-user' }
const error = (type: string, message = '') => ({ status: 400, body: { __type: `com.amazonaws.ecr#${type}`, message } })

/** The action of a request that is signed for its service and region; else what AWS answers to it. */
function judged(request: CloudRequest, service: string, region: string): CloudAnswer | string {
  const { judgement, scope } = judgeSignature(request, secrets, Date.UTC(2026, 4, 1))
  if (judgement !== 'good' || !scope.endsWith(`/${region}/${service}/aws4_request`))
    return error('InvalidSignatureException')
  return String(request.headers['x-amz-target'])
}

const image = (letter: string, imageTags?: readonly unknown[]) => ({
  ...{ registryId: '123456789012', repositoryName: 'team/app', imageDigest: digest(letter) },
  ...{
    imageSizeInBytes: 1,
    imagePushedAt: 1775037600.5,
    imageManifestMediaType: 'application/vnd.oci.image.index.v1+json',
  },
  ...(imageTags && { imageTags }),
})
const at = 1775037600_500

/** ECR API reference, version 2015-09-21, DescribeImages. */
function answerAsEcr(request: CloudRequest): CloudAnswer {
  const target = judged(request, 'ecr', 'eu-west-1')
  if (typeof target !== 'string') return target
  if (target !== 'AmazonEC2ContainerRegistry_V20150921.DescribeImages') return error('UnknownOperationException')
  const { registryId, repositoryName, filter, maxResults, nextToken } = JSON.parse(request.body)
  if (registryId !== '123456789012' || repositoryName !== 'team/app')
    return error('RepositoryNotFoundException', 'The repository does not exist')
  if (filter.tagStatus !== 'TAGGED' || maxResults > 1000) return error('InvalidParameterException')
  if (nextToken === 'two') return { body: { imageDetails: [image('b', ['0.9'])] } }
  return { body: { imageDetails: [image('a', ['latest', '1.0']), image('e')], nextToken: 'two' } }
}

const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com'
const ecr = listServer(
  {
    answer: answerAsEcr,
    settings: ({ url }) => ({ [host]: { apiUrl: url, username: 'AWS', password: 'of-the-registry' } }),
    repository: () => `${host}/team/app`,
    environment: () => keys,
  },
  () => true,
)

describe("ECR's list", () => {
  it('gives the tagged images, a thousand a request, signed, and without the password of the registry', async () => {
    const cost = noCost()
    expect(await ecr.entries(undefined, { cost })).toEqual([
      `latest ${digest('a')} ${at}`,
      `1.0 ${digest('a')} ${at}`,
      `0.9 ${digest('b')} ${at}`,
    ])
    expect(cost.requests).toBe(2)
    expect(cost.bytes).toBeGreaterThan(100)
    const password = Buffer.from('AWS:of-the-registry').toString('base64')
    expect(JSON.stringify(ecr.server.requests)).not.toContain(password)
  })

  it('is none without keys of AWS, or where none are to be used', async () => {
    expect(await ecr.pages(ecr.open(undefined, { AWS_PROFILE: '' }))).toBeNull()
    expect(await ecr.pages(ecr.open({ [host]: { apiUrl: ecr.server.url, anonymous: true } }))).toBeNull()
    expect(ecr.server.requests).toEqual([])
  })

  it('is denied where the caller may not, or AWS knows no such repository, and waits where AWS is busy', async () => {
    const message = 'User: arn:aws:iam::1:user/x is not authorized to perform: ecr:DescribeImages'
    ecr.planned.push(() => error('AccessDeniedException', message))
    const fault = await ecr.fault()
    expect([fault.code, fault.message]).toEqual(['denied', expect.stringContaining(message)])
    expect(fault.fix).toContain('ecr:DescribeImages')
    ecr.planned.push(() => error('RepositoryNotFoundException'))
    expect((await ecr.fault()).code).toBe('denied')
    ecr.planned.push(() => error('ThrottlingException', 'Rate exceeded'))
    expect(await ecr.entries()).toHaveLength(3)
  })

  it("is asked at the place that the registry's name tells", async () => {
    const proxy = await startDeadProxy()
    await ecr.fault(ecr.open({ [host]: { username: 'AWS', password: 'x' } }, { ...keys, HTTPS_PROXY: proxy.url }))
    expect(new Set(proxy.targets)).toEqual(new Set(['api.ecr.eu-west-1.amazonaws.com:443']))
    await proxy.close()
  })

  it('is not asked in plain HTTP', async () => {
    const registry = ecr.open({ [host]: { apiUrl: 'http://ecr.example.com', username: 'AWS', password: 'x' } })
    expect((await ecr.fault(registry)).code).toBe('invalid-config')
  })

  bearsHostileAnswers(ecr, {
    unreadable: { imageDetails: [{ imageTags: ['latest'] }, image('a', [5])] },
    noPages: [{}, [], 'null', { imageDetails: {} }],
    endless: (n) => ({ body: { imageDetails: [image('a', [`t${n}`])], nextToken: `${n}` } }),
    isPost: true,
  })
})

const tagDetail = (imageTag: string, letter: string) => ({
  ...{ imageTag, createdAt: 1775037600.5 },
  imageDetail: {
    imageDigest: digest(letter),
    imagePushedAt: 1,
    imageManifestMediaType: 'application/vnd.oci.image.index.v1+json',
  },
})

/** ECR Public API reference, version 2020-10-30: the caller's account has the alias `ours`. */
function answerAsEcrPublic(request: CloudRequest): CloudAnswer {
  const target = judged(request, 'ecr-public', 'us-east-1')
  const body = JSON.parse(request.body)
  if (target === 'SpencerFrontendService.DescribeRegistries') {
    const alias = { name: 'ours', status: 'ACTIVE', primaryRegistryAlias: true, defaultRegistryAlias: false }
    return {
      body: {
        registries: [
          { registryId: '123456789012', registryUri: 'public.ecr.aws/ours', verified: true, aliases: [alias] },
        ],
      },
    }
  }
  if (target !== 'SpencerFrontendService.DescribeImageTags') return error('UnknownOperationException')
  if (body.registryId !== '123456789012' || body.repositoryName !== 'web/app')
    return error('RepositoryNotFoundException')
  if (body.nextToken === 'two') return { body: { imageTagDetails: [tagDetail('1.0', 'b')] } }
  return { body: { imageTagDetails: [tagDetail('latest', 'a')], nextToken: 'two' } }
}

const settings = ({ url }: { url: string }) => ({ 'public.ecr.aws': { apiUrl: url, username: 'AWS', password: 'x' } })
const ecrPublic = listServer(
  { answer: answerAsEcrPublic, settings, repository: () => 'public.ecr.aws/ours/web/app', environment: () => keys },
  ({ headers }) => String(headers['x-amz-target']).endsWith('.DescribeImageTags'),
)

describe("ECR Public's list", () => {
  it("gives the tags of one's own repositories; whose an alias is, is asked once", async () => {
    const registry = ecrPublic.open()
    const cost = noCost()
    expect(await ecrPublic.entries(registry, { cost })).toEqual([
      `latest ${digest('a')} ${at}`,
      `1.0 ${digest('b')} ${at}`,
    ])
    expect(cost.requests).toBe(3)
    const warm = noCost()
    await ecrPublic.entries(registry, { cost: warm })
    expect(warm.requests).toBe(2)
  })

  it('is none for what is of others, though we have a repository of that name', async () => {
    expect(await ecrPublic.pages(ecrPublic.open(), {}, 'public.ecr.aws/nginx/web/app')).toBeNull()
    expect(ecrPublic.server.requests).toHaveLength(1)
    expect(await ecrPublic.pages(ecrPublic.open(undefined, {}))).toBeNull()
  })

  bearsHostileAnswers(ecrPublic, {
    unreadable: { imageTagDetails: [{ imageTag: 'latest', imageDetail: null }, tagDetail('-', 'a')] },
    noPages: [{}, [], 'null', { imageTagDetails: {} }],
    endless: (n) => ({ body: { imageTagDetails: [tagDetail(`t${n}`, 'a')], nextToken: `${n}` } }),
    isPost: true,
  })
})
