// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the files that are read
import { describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { oldDigest, pinText } from '../../test/support/pins.js'
import { compose } from './compose.js'
import { githubWorkflow } from './github-workflow.js'
import { helmValues } from './helm-values.js'
import type { ImageFileKind } from './image-file.js'
import { kubernetes } from './kubernetes.js'
import { kindOf } from './list.js'

const pin = (kind: ImageFileKind, text: string, dropsTag = false) =>
  pinText(kind, text.replaceAll('OLD', oldDigest), dropsTag)

describe('compose', () => {
  it('pins the images of services, and keeps everything else as it is', () => {
    const text = `# top
x-base: &base
    image:   "nginx:1.27"   # quoted
services:
  web: {<<: *base, ports: ["80:80"]}
  db:
    image: 'postgres:16'
  cache: { image: redis , restart: always }

  built:
    build: .
    image: registry.example.com/app:1
  pinned:
    image: a/b:1@OLD
`
    const pinned = pin(compose, text)
    expect(pinned.images).toEqual(['3 nginx:1.27', '7 postgres:16', '8 redis', '14 a/b:1@OLD'])
    expect(pinned.text).toBe(
      text
        .replace('nginx:1.27', 'nginx:1.27@NEW')
        .replace('postgres:16', 'postgres:16@NEW')
        .replace('redis ,', 'redis:latest@NEW ,')
        .replace('@OLD', '@NEW'),
    )
    expect(pin(compose, text.replaceAll('\n', '\r\n')).text).toBe(pinned.text.replaceAll('\n', '\r\n'))
    expect(pin(compose, `\ufeff${text}`).text).toBe(`\ufeff${pinned.text}`)
  })

  it('drops the tag where that is wanted', () => {
    expect(pin(compose, 'services: {a: {image: x/y:1}}\n', true).text).toBe('services: {a: {image: x/y@NEW}}\n')
  })

  it('moves an anchored image once, and follows aliases in their own document', () => {
    const text =
      'services:\n  a: {image: &i x:1}\n  b: {image: *i}\n---\nservices:\n  c: {image: &i y:2}\n  d: {image: *i}\n'
    expect(pin(compose, text)).toMatchObject({
      text: text.replace('x:1', 'x:1@NEW').replace('y:2', 'y:2@NEW'),
      images: ['2 x:1', '6 y:2'],
    })
  })

  it.each([
    ['${TAG}', 'x:${TAG}', 'x:${TAG}: ${TAG} cannot be told'],
    ['$TAG', 'x:$TAG', 'x:$TAG: $TAG cannot be told'],
    ['a variable with a default', '"x:${TAG:-1}"', '"x:${TAG:-1}": ${TAG:-1} cannot be told'],
    ['escapes', '"x\\u003a1"', '"x\\u003a1": it is no text in one piece'],
    ['a block', '>-\n      x:1', '>- x:1: it is no text in one piece'],
    ['a pinned one', '$R/x:1@OLD', '$R/x:1@OLD: $R cannot be told (pinned)'],
  ])('names what the file does not tell: %s', (_, image, open) => {
    const text = `services:\n  a:\n    image: ${image}\n`
    expect(pin(compose, text)).toMatchObject({ text, open: [`3 ${open}`] })
  })
})

describe('kubernetes', () => {
  it('pins containers of every kind, wherever pods are', () => {
    const text = `apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers:
      - image: a:1
        name: init
      containers:
      - name: b
        image: "b:2"
      volumes: [{name: v, image: {reference: c:3}}, {name: w, emptyDir: {}}]
---
apiVersion: v1
kind: List
items:
- apiVersion: batch/v1
  kind: CronJob
  spec: {jobTemplate: {spec: {template: {spec: {containers: [{image: d:4}]}}}}}
---
# nothing
---
apiVersion: example.com/v1
kind: Thing
image: not-a-pod:1
spec: {podTemplate: {spec: {ephemeralContainers: [{image: e:5}]}}}
`
    const pinned = pin(kubernetes, text)
    expect(pinned.images).toEqual(['7 a:1', '11 b:2', '12 c:3', '19 d:4', '26 e:5'])
    expect(pinned.text).toBe(text.replace(/\b([a-e]):(\d)/g, '$1:$2@NEW'))
    expect(kindOf('x/deploy.yaml', text)).toBe(kubernetes)
  })

  it('is known by its text only', () => {
    expect(kindOf('a.yaml', 'a: 1\n')).toBeNull()
    expect(kindOf('a.yaml', 'apiVersion: v1\n')).toBeNull()
    expect(kindOf('a.txt', 'apiVersion: v1\nkind: Pod\n')).toBeNull()
    expect(kindOf('a.yml', '"apiVersion": v1\n"kind": Pod\n')).toBe(kubernetes)
  })
})

describe('helm values', () => {
  it.each([
    [
      'after the tag',
      'image:\n  repository: a/b\n  tag: "1.2"  # x\n',
      '2 a/b:1.2',
      'image:\n  repository: a/b\n  tag: "1.2@NEW"  # x\n',
    ],
    [
      'a registry',
      'image: {registry: ghcr.io, repository: a/b, tag: v1}\n',
      '1 ghcr.io/a/b:v1',
      'image: {registry: ghcr.io, repository: a/b, tag: v1@NEW}\n',
    ],
    [
      'an empty digest',
      'image:\n  repository: a\n  tag: v1\n  digest: ""\n',
      '2 a:v1',
      'image:\n  repository: a\n  tag: v1\n  digest: "NEW"\n',
    ],
    [
      'a digest without a value',
      'image:\n  repository: a\n  tag: v1\n  digest:\n  x: 1\n',
      '2 a:v1',
      'image:\n  repository: a\n  tag: v1\n  digest: NEW\n  x: 1\n',
    ],
    [
      'a null digest',
      'image: {repository: a, tag: v1, digest: ~}\n',
      '1 a:v1',
      'image: {repository: a, tag: v1, digest: NEW}\n',
    ],
    [
      'a digest that is there',
      'image: {repository: a, tag: v1, digest: OLD}\n',
      '1 a:v1@OLD',
      'image: {repository: a, tag: v1, digest: NEW}\n',
    ],
    [
      'a digest in the tag',
      'image: {repository: a, tag: v1@OLD}\n',
      '1 a:v1@OLD',
      'image: {repository: a, tag: v1@NEW}\n',
    ],
    [
      'a number that is its text',
      'image: {repository: a, tag: 1.27}\n',
      '1 a:1.27',
      'image: {repository: a, tag: 1.27@NEW}\n',
    ],
    [
      'another key',
      'sidecar:\n  initImage: {repository: a, tag: v1}\n',
      '2 a:v1',
      'sidecar:\n  initImage: {repository: a, tag: v1@NEW}\n',
    ],
    ['a whole reference', "proxyImage: 'a/b:1'\n", '1 a/b:1', "proxyImage: 'a/b:1@NEW'\n"],
  ])('pins %s', (_, text, image, after) => {
    for (const dropsTag of text.includes('proxyImage') ? [false] : [false, true]) {
      expect(pin(helmValues, text, dropsTag)).toMatchObject({ text: after, images: [image], open: [] })
    }
  })

  it.each([
    ['no tag', 'image: {repository: a, tag: ""}\n', ['1 a: no tag: the chart decides']],
    ['a number that is another', 'image: {repository: a, tag: 1.10}\n', ['1 a: 1.10 without quotes is 1.1']],
    ['a template', 'image: {repository: "{{ .x }}/a", tag: v1}\n', ['1 "{{ .x }}/a": {{ .x }} cannot be told']],
    ['no tag, but a digest', 'image: {repository: a, digest: OLD}\n', []],
    ['half of a reference', 'image: nginx\n', []],
    ['an address', 'logoImage: https://example.com/x.png\n', []],
    ['a flag', 'pullImage: true\n', []],
  ])('leaves %s alone', (_, text, open) => {
    const pinned = pin(helmValues, text)
    expect(pinned).toEqual({ text: pinned.text, images: [], assumed: [], open })
    expect(pinned.text).toBe(text)
  })
})

describe('github workflows', () => {
  it('pins containers, services and docker:// steps, and no actions', () => {
    const text = `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: node:20
    services:
      db: {image: postgres:16}
      own:
        image: \${{ matrix.image }}
    steps:
    - uses: actions/checkout@v4
    - uses: docker://alpine:3.20
    - uses: "docker://ghcr.io/a/b"
    - run: docker run alpine:3
  b:
    container:
      image: golang:1.22@OLD
`
    const pinned = pin(githubWorkflow, text)
    expect(pinned.images).toEqual([
      '5 node:20',
      '7 postgres:16',
      '12 alpine:3.20',
      '13 ghcr.io/a/b',
      '17 golang:1.22@OLD',
    ])
    expect(pinned.open).toEqual(['9 ${{ matrix.image }}: ${{ matrix.image }} cannot be told'])
    expect(pinned.text).toBe(
      text
        .replace('node:20', 'node:20@NEW')
        .replace('postgres:16', 'postgres:16@NEW')
        .replace('docker://alpine:3.20', 'docker://alpine:3.20@NEW')
        .replace('ghcr.io/a/b"', 'ghcr.io/a/b:latest@NEW"')
        .replace('@OLD', '@NEW'),
    )
  })

  it('pins the image of an action', () => {
    expect(pin(githubWorkflow, "runs: {using: docker, image: 'docker://a:1'}\n").text).toBe(
      "runs: {using: docker, image: 'docker://a:1@NEW'}\n",
    )
    expect(pin(githubWorkflow, 'runs: {using: docker, image: Dockerfile}\n').images).toEqual([])
    const composite = 'runs: {using: composite, steps: [{uses: docker://a:1}, {run: x}]}\n'
    expect(pin(githubWorkflow, composite).images).toEqual(['1 a:1'])
  })
})

it.each([
  ['.github/workflows/ci.yml', githubWorkflow],
  ['./.github/workflows/ci.yaml', githubWorkflow],
  ['x/action.yml', githubWorkflow],
  ['compose.yaml', compose],
  ['docker-compose.override.yml', compose],
  ['a/compose.prod.yaml', compose],
  ['chart/values.yaml', helmValues],
  ['values-prod.yaml', helmValues],
  ['prod.values.yml', helmValues],
  ['decompose.yaml', null],
  ['.github/dependabot.yml', null],
])('knows %s by its name', (path, kind) => {
  expect(kindOf(path, 'a: 1\n')).toBe(kind)
})

it.each([
  ['not YAML', 'services: [\n'],
  ['an alias of nothing', 'services:\n  a: {image: nginx:1.27}\n  b: {image: *nothing}\n'],
  ['a key twice', 'services: {a: {image: x}, a: {image: y}}\n'],
  ['nested without end', `a: ${'['.repeat(200_000)}`],
])('refuses what is %s', async (_, text) => {
  expect(await faultCodeOf((async () => compose.read(text))())).toBe('file-unreadable')
})

it('takes any top', () => {
  for (const text of [
    '',
    '# x\n',
    '- a\n',
    'x\n',
    '1\n',
    'services: x\n',
    'services: {a: null}\n',
    'services: {a: {image: }}\n',
  ]) {
    for (const kind of [compose, githubWorkflow, helmValues, kubernetes]) {
      expect(pin(kind, text), text).toEqual({ text, images: [], assumed: [], open: [] })
    }
  }
})
