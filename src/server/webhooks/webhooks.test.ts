import { describe, expect, it } from 'vitest'
import { formatReference } from '../../core/reference.js'
import { webhookKinds } from './list.js'
import type { WebhookReading } from './webhook-kind.js'

const digest = `sha256:${'ab'.repeat(32)}`

/** Reads a body as a kind does; events as `REFERENCE[@DIGEST]`, or null. */
function read(kind: string, payload: unknown, headers: Record<string, string> = {}) {
  const { events, answer } = readingOf(kind, payload, headers)
  const said = events.map((event) =>
    event === null ? null : `${formatReference(event.reference)}${event.digest === null ? '' : `@${event.digest}`}`,
  )
  return answer === undefined ? said : { said, answer }
}

function readingOf(kind: string, payload: unknown, headers: Record<string, string> = {}): WebhookReading {
  const found = webhookKinds.find(({ name }) => name === kind)
  if (found === undefined) throw new Error(`no kind ${kind}`)
  return found.read(payload, { headers, body: Buffer.alloc(0) })
}

// https://distribution.github.io/distribution/about/notifications/ and what docker-registry 2.8.2 sends.
const envelope = (action: string, target: object, more: object = {}) => ({
  events: [
    {
      ...{ id: '320678d8-ca14-430f-8bb6-4ca139cd83f7', timestamp: '2016-03-09T14:44:26.402973972-08:00', action },
      target: { mediaType: 'application/vnd.oci.image.index.v1+json', length: 708, repository: 'team/app', ...target },
      request: { id: '6df24a34', addr: '192.168.64.11:42961', host: '192.168.100.227:5000', method: 'PUT' },
      ...{
        actor: {},
        source: { addr: 'xtal.local:5000', instanceID: 'a53db899-3b4b-4a62-a067-8dd013beaca4' },
        ...more,
      },
    },
  ],
})

// https://docs.docker.com/docker-hub/repos/manage/webhooks/
const hub = {
  callback_url: 'https://registry.hub.docker.com/u/svendowideit/testhook/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/',
  push_data: { pushed_at: 1417566161, pusher: 'trustedbuilder', tag: 'latest' },
  repository: { name: 'testhook', namespace: 'svendowideit', repo_name: 'svendowideit/testhook', status: 'Active' },
}

// https://goharbor.io/docs/2.13.0/working-with-projects/project-configuration/configure-webhooks/
const harborData = (tag: string) => ({
  resources: [{ digest, tag, resource_url: `hub.harbor.com/test-webhook/debian:${tag}` }],
  repository: {
    date_created: 1586922308,
    name: 'debian',
    namespace: 'test-webhook',
    repo_full_name: 'test-webhook/debian',
  },
})
const harborEvent = (type: string, tag = 'latest') => ({
  ...{ type, occur_at: 1586922308, operator: 'admin', event_data: harborData(tag) },
})

// https://docs.github.com/en/webhooks/webhook-events-and-payloads#package
const github = (over: object = {}, name = 'latest') => ({
  action: 'published',
  package: {
    ...{ id: 10696, name: 'Hello_Docker', namespace: 'Octo-Org', ecosystem: 'CONTAINER', package_type: 'CONTAINER' },
    owner: { login: 'Octo-Org' },
    package_version: {
      ...{ id: 123, version: digest, package_url: `ghcr.io/octo-org/hello_docker:${name}` },
      container_metadata: { tag: { name, digest }, labels: {}, manifest: {} },
    },
    ...over,
  },
})

const pubSub = (data: object | string) => ({
  message: {
    data: Buffer.from(typeof data === 'string' ? data : JSON.stringify(data)).toString('base64'),
    ...{ messageId: '2070443601311540', publishTime: '2021-02-26T19:13:55.749Z' },
  },
  subscription: 'projects/myproject/subscriptions/mysubscription',
})
const garImage = 'us-east1-docker.pkg.dev/my-project/my-repo/hello-world'

// https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
const azure = (action: string, target: object = { tag: 'v1' }) => ({
  ...{ id: 'cb8c3971-9adc-488b-xxxx-43cbb4974ff5', timestamp: '2017-11-17T16:52:01.343145347Z', action },
  target: {
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    digest,
    repository: 'hello-world',
    ...target,
  },
  request: { id: '3cbb6949-7549-4fa1-xxxx-a6d5451dffc7', host: 'myregistry.azurecr.io', method: 'PUT' },
})

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html
const amazon = (detail: object = {}, over: object = {}) => ({
  ...{ version: '0', id: '13cde686-328b-6117-af20-0e5566167482', 'detail-type': 'ECR Image Action', source: 'aws.ecr' },
  ...{ account: '123456789012', time: '2019-11-16T01:54:34Z', region: 'us-west-2', resources: [] },
  detail: {
    ...{ result: 'SUCCESS', 'repository-name': 'my-repository-name', 'image-digest': digest, 'action-type': 'PUSH' },
    ...{ 'image-tag': 'latest', ...detail },
  },
  ...over,
})

type Case = [what: string, kind: string, payload: unknown, expected: unknown, headers?: Record<string, string>]
const packageEvent = { 'x-github-event': 'package' }
const cases: Case[] = [
  ['a push', 'distribution', envelope('push', { tag: '1.0', digest }), [`192.168.100.227:5000/team/app:1.0@${digest}`]],
  ['a layer', 'distribution', envelope('push', { mediaType: 'application/octet-stream', digest }), [null]],
  ['our own look', 'distribution', envelope('pull', { tag: '1.0', digest }), [null]],
  ['a removed tag', 'distribution', envelope('delete', { tag: '1.0', digest }), ['192.168.100.227:5000/team/app:1.0']],
  ['no request', 'distribution', envelope('push', { tag: '1' }, { request: {} }), ['xtal.local:5000/team/app:1']],
  ['an envelope without events', 'distribution', {}, []],

  ['a push', 'docker-hub', hub, ['docker.io/svendowideit/testhook:latest']],
  [
    ...(['an official image', 'docker-hub', { ...hub, repository: { repo_name: 'nginx' } }] as const),
    ['docker.io/library/nginx:latest'],
  ],

  [
    ...(['two tags', 'quay'] as const),
    {
      ...{ name: 'repository', repository: 'mynamespace/repository', namespace: 'mynamespace' },
      ...{ docker_url: 'quay.io/mynamespace/repository', homepage: 'https://quay.io/', updated_tags: ['latest', 'v2'] },
    },
    ['quay.io/mynamespace/repository:latest', 'quay.io/mynamespace/repository:v2'],
  ],
  ['a template of the user’s', 'quay', { text: 'pushed' }, []],

  ['a push', 'harbor', harborEvent('PUSH_ARTIFACT'), [`hub.harbor.com/test-webhook/debian:latest@${digest}`]],
  ['a push without a tag', 'harbor', harborEvent('PUSH_ARTIFACT', digest), [null]],
  ['a removal', 'harbor', harborEvent('DELETE_ARTIFACT'), ['hub.harbor.com/test-webhook/debian:latest']],
  ['a pull', 'harbor', harborEvent('PULL_ARTIFACT'), [null]],
  [
    ...(['a CloudEvent', 'harbor'] as const),
    {
      ...{ specversion: '1.0', id: '66fcc4b8', source: '/projects/2/webhook/policies/15', operator: 'admin' },
      ...{ type: 'harbor.artifact.pushed', datacontenttype: 'application/json', data: harborData('v1') },
    },
    [`hub.harbor.com/test-webhook/debian:v1@${digest}`],
  ],

  ['a package', 'ghcr', github(), [`ghcr.io/octo-org/hello_docker:latest@${digest}`], packageEvent],
  [
    ...(['a package of a GitHub App', 'ghcr'] as const),
    { action: 'updated', registry_package: github().package },
    [`ghcr.io/octo-org/hello_docker:latest@${digest}`],
    { 'x-github-event': 'registry_package' },
  ],
  ['an untagged child', 'ghcr', github({}, ''), [null], packageEvent],
  ['a package of npm', 'ghcr', github({ package_type: 'npm' }), [null], packageEvent],
  ['a ping', 'ghcr', { zen: 'Keep it logically awesome.', hook_id: 1 }, [null], { 'x-github-event': 'ping' }],

  [
    ...(['a push', 'gar'] as const),
    pubSub({ action: 'INSERT', digest: `${garImage}@${digest}`, tag: `${garImage}:1.1` }),
    [`${garImage}:1.1@${digest}`],
  ],
  ['a push to gcr.io', 'gar', pubSub({ action: 'INSERT', tag: 'gcr.io/project/app:1' }), ['gcr.io/project/app:1']],
  ['no tag', 'gar', pubSub({ action: 'INSERT', digest: `${garImage}@${digest}` }), [null]],
  ['a name without a tag', 'gar', pubSub({ action: 'INSERT', tag: garImage }), [null]],
  ['a removal', 'gar', pubSub({ action: 'DELETE', tag: `${garImage}:1.1` }), [`${garImage}:1.1`]],
  ['a message of another topic', 'gar', pubSub('not JSON'), [null]],

  ['a push', 'acr', azure('push'), [`myregistry.azurecr.io/hello-world:v1@${digest}`]],
  ['a push without a tag', 'acr', azure('push', {}), [null]],
  ['a removed tag', 'acr', azure('delete'), ['myregistry.azurecr.io/hello-world:v1']],
  ['a chart', 'acr', azure('chart_push'), [null]],
  [
    ...(['a ping', 'acr', { id: '79d9b1c5', timestamp: '2017-11-17T16:52:01Z', action: 'ping', target: {} }] as const),
    [null],
  ],
  [
    ...(['Event Grid', 'acr'] as const),
    [
      {
        id: '831e',
        eventType: 'Microsoft.ContainerRegistry.ImagePushed',
        subject: 'hello-world:v1',
        data: azure('push'),
      },
    ],
    [`myregistry.azurecr.io/hello-world:v1@${digest}`],
  ],
  [
    ...(['Event Grid’s CloudEvents', 'acr'] as const),
    {
      specversion: '1.0',
      type: 'Microsoft.ContainerRegistry.ImagePushed',
      source: '/subscriptions/1',
      data: azure('push'),
    },
    [`myregistry.azurecr.io/hello-world:v1@${digest}`],
  ],
  [
    // https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema
    ...(['the handshake of Event Grid', 'acr'] as const),
    [
      {
        ...{ id: '2d1781af-3a4c-4d7c-bd0c-e34b19da4e66', topic: '/subscriptions/xxxx', subject: '' },
        data: {
          validationCode: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6',
          validationUrl: 'https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/x/validate?id=5',
        },
        eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      },
    ],
    { said: [], answer: { validationResponse: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' } },
  ],

  ['a push', 'ecr', amazon(), [`123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name:latest@${digest}`]],
  [
    ...(['a push in China', 'ecr', amazon({}, { region: 'cn-north-1' })] as const),
    [`123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/my-repository-name:latest@${digest}`],
  ],
  [
    ...(['a removal', 'ecr', amazon({ 'action-type': 'DELETE' })] as const),
    ['123456789012.dkr.ecr.us-west-2.amazonaws.com/my-repository-name:latest'],
  ],
  ['a push without a tag', 'ecr', amazon({ 'image-tag': undefined }), [null]],
  ['a push that failed', 'ecr', amazon({ result: 'FAILURE' }), [null]],
  ['a region that leads elsewhere', 'ecr', amazon({}, { region: 'evil.example/' }), [null]],
  ['a scan', 'ecr', amazon({}, { 'detail-type': 'ECR Image Scan' }), [null]],
]

describe('a webhook', () => {
  it.each(cases)('with %s, of %s', (_, kind, payload, expected, headers) => {
    expect(read(kind, payload, headers)).toEqual(expected)
  })

  const hosts = ['a b', 'evil.example/x', 'user@host', '127.1', '', null, 7]
  const repositories = ['UPPER', '../x', 'a//b', 'a:1', 'a@b', '', 'a'.repeat(300), {}, []]
  const tags = ['', '-x', 'a b', 'a/b', 'a'.repeat(129), ['1'], { length: 1 }, null]
  const right = { host: 'h.example', repository: 'a/b', tag: '1' }
  const wrongs: Record<string, unknown>[] = [
    ...hosts.map((host) => ({ ...right, host })),
    ...repositories.map((repository) => ({ ...right, repository })),
    ...tags.map((tag) => ({ ...right, tag })),
  ]
  it.each(wrongs)('that names no tag is about nothing: %j', ({ host, ...target }) => {
    const event = { action: 'push', target, request: { host } }
    expect(readingOf('distribution', { events: [event] }).events).toEqual([null])
  })

  it('may be any JSON at all', () => {
    const bodies = [null, 7, 'text', [], [null], [[]], {}, { events: 7 }, { events: [null, 7, []] }, { message: [] }]
    const odd = ['updated_tags', 'push_data', 'package', 'event_data', 'detail', 'data', 'target']
    const more = odd.flatMap((key) => [null, 7, 'x', [], [null], { tag: {} }].map((value) => ({ [key]: value })))
    for (const { name } of webhookKinds) {
      for (const headers of [packageEvent, { 'x-github-event': 'constructor' }, undefined]) {
        for (const body of [...bodies, ...more]) {
          const { events } = readingOf(name, body, headers)
          expect(events.filter((event) => event !== null)).toEqual([])
        }
      }
    }
  })

  it.each(cases)('may have anything where a member was: %s, of %s', (_, kind, payload, __, headers) => {
    const deep: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
    for (const hostile of [{ toString: 0 }, deep, null]) {
      for (const body of withEachMember(payload, hostile)) expect(() => readingOf(kind, body, headers)).not.toThrow()
    }
  })
})

/** Copies of a parsed value, in each of which another member at some depth is `hostile`. */
function* withEachMember(value: unknown, hostile: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const copyWith = (other: unknown) =>
      Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other }
    yield copyWith(hostile)
    for (const other of withEachMember(inner, hostile)) yield copyWith(other)
  }
}
