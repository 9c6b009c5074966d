import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Digest } from '../src/core/digest.js'
import { digestOf } from '../src/core/digest.js'
import { Fault } from '../src/core/fault.js'
import type { Uidp } from '../src/core/identity.js'
import { readManifest } from '../src/core/manifest.js'
import { parseTagReference } from '../src/core/reference.js'
import { addressesOf } from '../src/flows/authority.js'
import {
  type DigestCall,
  diffDigests,
  digestArchitectures,
  digestImageConfig,
  digestSize,
} from '../src/flows/digest-image.js'
import { openServices, type Services } from '../src/flows/open.js'
import { anonymousCaller, type Caller } from '../src/iam/caller.js'
import { buildImage, buildIndex } from '../src/test-registry/build-image.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { importAdvisory } from './support/advisories.js'
import { createCli, type TestCli } from './support/cli.js'
import { seeTag, viewerOf } from './support/see-tag.js'

let registry: TestRegistry
let services: Services
let cli: TestCli
let acme: Uidp
let alpine: Uidp
let viewer: Caller

beforeEach(async () => {
  registry = await startTestRegistry()
  cli = createCli()
  services = openServices({ environment: cli.environment, addresses: () => addressesOf('http://127.0.0.1:1') })
  acme = await group('acme')
  alpine = await bind(acme, 'alpine', 'library/alpine')
  viewer = viewerOf(acme)
})
afterEach(async () => {
  await services.close()
  await registry.close()
})

async function group(name: string): Promise<Uidp> {
  const { groups } = await services.store()
  return (await groups.create({ parent: '/', name, description: '', isPublic: false })).uidp
}

async function bind(of: Uidp, name: string, path: string, isPublic: boolean | null = null): Promise<Uidp> {
  const { host } = parseTagReference(`${registry.address}/${path}`)
  const { repositories } = await services.store()
  const more = { description: '', isPublic, rule: null }
  return (await repositories.create({ group: of, name, upstream: { host, path }, ...more })).uidp
}

const see = async (tag: string) => await seeTag(`${registry.address}/${tag}`, services)

/** The digests of a tag before and after its next move, both seen. */
async function seePair(tag: string): Promise<{ fromDigest: Digest; toDigest: Digest }> {
  const fromDigest = await see(tag)
  registry.move(tag)
  return { fromDigest, toDigest: await see(tag) }
}

function callBy(caller: Caller, more: Partial<DigestCall> = {}): DigestCall {
  return { services, caller, signal: new AbortController().signal, warn: () => undefined, ...more }
}

/** What a call was refused with, without the digest that it named. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Fault)) throw error
  return `${error.code} ${error.message.replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')} ${error.fix}`
}

const blobs = () => registry.requests.count('GET blob')

describe('the diff of two digests', () => {
  it('comes within the request the first time, and costs nothing after it', async () => {
    const pair = await seePair('library/alpine:3.10')
    const warnings: string[] = []
    const call = callBy(viewer, { warn: (message) => warnings.push(message) })
    const { etag, response } = await diffDigests({ repository: alpine, ...pair }, call)
    expect(response.packages.changed.map(({ name, previous, current }) => [name, previous.version, current.version]))
      // Facts of the two releases of Alpine.
      .toEqual([
        ['busybox', '1.30.1-r2', '1.30.1-r3'],
        ['libcrypto1.1', '1.1.1d-r0', '1.1.1d-r2'],
        ['libssl1.1', '1.1.1d-r0', '1.1.1d-r2'],
        ['ssl_client', '1.30.1-r2', '1.30.1-r3'],
      ])
    expect(response.config?.changed).toMatchObject({ changedUser: null, envs: { added: [], removed: [] } })
    expect(response.warnings.slice(0, 2)).toEqual([
      expect.stringMatching(`^${pair.fromDigest} is an index: its image for linux/amd64 was taken, sha256:`),
      expect.stringMatching(`^${pair.toDigest} is an index: its image for linux/amd64 was taken, sha256:`),
    ])
    expect(warnings).toEqual(response.warnings.slice(0, 2))
    const asked = registry.requests.count()
    const again = await diffDigests({ repository: alpine, ...pair }, callBy(viewer))
    expect(again).toEqual({ etag, response })
    expect(registry.requests.count()).toBe(asked)
    const turned = { repository: alpine, fromDigest: pair.toDigest, toDigest: pair.fromDigest }
    expect((await diffDigests(turned, callBy(viewer))).etag).not.toBe(etag)
    const arm = await diffDigests({ repository: alpine, ...pair, platform: 'linux/arm64' }, callBy(viewer))
    expect(arm.response.packages.changed[0]?.current.reference).toContain('arch=aarch64')
    expect(arm.response.warnings[0]).toContain('its image for linux/arm64')
    const platform = 'linux/s390x'
    expect(await refusalOf(diffDigests({ repository: alpine, ...pair, platform }, callBy(viewer)))).toMatch(
      /^platform-not-found .*linux\/amd64, linux\/arm64/,
    )
  })

  it('gives single images as they are, and says when they are for another platform', async () => {
    const pair = await seePair('library/alpine:3.10')
    const children = async (digest: Digest) => {
      const { manifests } = await services.store()
      const manifest = readManifest(Buffer.from((await manifests.get(digest))?.bytes ?? ''), '')
      return manifest?.kind === 'index' ? manifest.children.map((child) => child.digest) : []
    }
    const [amd64 = '', arm64 = ''] = await children(pair.fromDigest)
    const [, newer = ''] = await children(pair.toDigest)
    const same = { repository: alpine, fromDigest: arm64, toDigest: newer }
    const { response, etag } = await diffDigests(same, callBy(viewer))
    expect(response.warnings.filter((text) => text.includes('linux/'))).toEqual([])
    expect(response.packages.changed).toHaveLength(4)
    const asked = await diffDigests({ ...same, platform: 'linux/amd64' }, callBy(viewer))
    expect(asked.response.warnings[0]).toBe(`${arm64} is one image, for linux/arm64, and linux/amd64 was asked for`)
    expect(asked.etag).not.toBe(etag)
    const mixed = await diffDigests({ repository: alpine, fromDigest: amd64, toDigest: newer }, callBy(viewer))
    expect(mixed.response.warnings[0]).toBe('the first image is for linux/amd64, the second for linux/arm64')
  })

  it('is by the advisory data as it is now, with another entity tag', async () => {
    const question = { repository: alpine, ...(await seePair('library/alpine:3.10')) }
    const before = await diffDigests(question, callBy(viewer))
    expect(before.response.vulnerabilities).toEqual({ added: [], removed: [], metadata: [] })
    await importAdvisory(cli)
    const after = await diffDigests(question, callBy(viewer))
    expect(after.response.vulnerabilities.removed).toMatchObject([{ id: 'CVE-2026-1001' }])
    expect(after.response.vulnerabilities.metadata).toHaveLength(2)
    expect(after.etag).not.toBe(before.etag)
  })

  it('does the work once for all who ask at the same time, and stops it when the last has gone', async () => {
    const question = { repository: alpine, ...(await seePair('library/alpine:3.10')) }
    const delay = { when: { path: '/v2/library/alpine/blobs/*' }, do: { delay: '100ms' } }
    registry.setScript({ rules: [delay] })
    const gone = new AbortController()
    const impatient = diffDigests(question, callBy(viewer, { signal: gone.signal }))
    const patient = [1, 2, 3].map(() => diffDigests(question, callBy(viewer)))
    setTimeout(() => gone.abort(new Error('gone')), 50)
    await expect(impatient).rejects.toThrow('gone')
    const answers = await Promise.all(patient)
    expect(new Set(answers.map(({ etag }) => etag)).size).toBe(1)
    // Two images: a configuration and a layer each.
    expect(blobs()).toBe(4)
  })

  it('is stopped by the only one who asks, and begun anew by the next', async () => {
    const question = { repository: alpine, ...(await seePair('library/alpine:3.10')) }
    registry.setScript({ rules: [{ when: { path: '/v2/library/alpine/blobs/*' }, do: { delay: '100ms' } }] })
    const gone = new AbortController()
    const alone = diffDigests(question, callBy(viewer, { signal: gone.signal }))
    while (registry.requests.count() === 0) await nextTurn()
    setTimeout(() => gone.abort(new Error('gone')), 50)
    await expect(alone).rejects.toThrow('gone')
    registry.setScript({})
    const asked = blobs()
    await new Promise((done) => setTimeout(done, 250))
    expect(blobs()).toBeLessThanOrEqual(asked + 1)
    expect((await diffDigests(question, callBy(viewer))).response.packages.changed).toHaveLength(4)
  })
})

describe('a digest', () => {
  it('of another repository is taken where the caller may read that one, and else is as one that nobody knows', async () => {
    const rival = await group('rival')
    await bind(rival, 'app', 'demo/app')
    const theirs = await seePair('demo/app:1.0')
    const ours = await see('library/alpine:3.10')
    const asked = () =>
      registry.requests.latest().map(({ method, path }) => `${method} ${path.replace(/[0-9a-f]{64}$/, '')}`)
    const before = asked().length
    const refused = await refusalOf(diffDigests({ repository: alpine, ...theirs }, callBy(viewer)))
    const between = asked().length
    const unknown = { fromDigest: digestOf('nobody'), toDigest: digestOf('knows') }
    expect(await refusalOf(diffDigests({ repository: alpine, ...unknown }, callBy(viewer)))).toBe(refused)
    // The call's own registry is asked whether it has it: a HEAD, and a GET whose body says what is missing.
    const look = ['HEAD /v2/library/alpine/manifests/sha256:', 'GET /v2/library/alpine/manifests/sha256:']
    expect(asked().slice(before, between)).toEqual(look)
    expect(asked().slice(between)).toEqual(look)
    expect(refused).toMatch(/^not-found no repository that you may read has the image DIGEST/)
    const half = { repository: alpine, fromDigest: ours, toDigest: theirs.toDigest }
    expect(await refusalOf(diffDigests(half, callBy(viewer)))).toBe(refused)
    const both = { ...viewer, grants: [...viewer.grants, ...viewerOf(rival).grants] }
    const { response } = await diffDigests({ repository: alpine, ...theirs }, callBy(both))
    expect(response.packages.changed).toHaveLength(4)
    // What one may read who asked before is no way in for the next.
    expect(await refusalOf(diffDigests({ repository: alpine, ...theirs }, callBy(viewer)))).toBe(refused)
    expect(await refusalOf(digestSize({ repository: alpine, digest: theirs.toDigest }, callBy(viewer)))).toBe(refused)
  })

  it('that no tag was seen at is taken while the registry serves it', async () => {
    const image = buildImage({ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z', layers: [[]] })
    registry.content.putImage('library/alpine:hidden', image)
    const question = { repository: alpine, digest: image.digest }
    expect(await digestArchitectures(question, callBy(viewer))).toEqual(['amd64'])
    const heads = registry.requests.count('HEAD manifest')
    await digestArchitectures(question, callBy(viewer))
    expect(registry.requests.count('HEAD manifest')).toBe(heads)
    const denied = { when: { path: '/v2/library/alpine/manifests/*' }, do: { status: 403 } }
    registry.setScript({ rules: [denied] })
    const other = { repository: alpine, digest: digestOf('other') }
    expect(await refusalOf(digestArchitectures(other, callBy(viewer)))).toMatch(/^denied /)
  })

  it('that an index lists is taken only where it may be read itself', async () => {
    const rival = await group('rival')
    await bind(rival, 'app', 'demo/app')
    const secret = await see('demo/app:1.0')
    const { manifests } = await services.store()
    const index = readManifest(Buffer.from((await manifests.get(secret))?.bytes ?? ''), '')
    const child = index?.kind === 'index' ? index.children[0] : undefined
    await digestImageConfig(
      { repository: await bind(rival, 'again', 'demo/app'), digest: secret },
      callBy(viewerOf(rival)),
    )
    const bait = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: child?.mediaType,
          digest: child?.digest,
          size: 1,
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    }
    const bytes = Buffer.from(JSON.stringify(bait))
    registry.content.putManifest('library/alpine', 'bait', bait.mediaType, bytes)
    const digest = await see('library/alpine:bait')
    expect(await refusalOf(digestImageConfig({ repository: alpine, digest }, callBy(viewer)))).toMatch(/^not-found /)
    expect(await digestArchitectures({ repository: alpine, digest }, callBy(viewer))).toEqual(['amd64'])
  })

  it('that is none, and an id that is none, are wrong input', async () => {
    const question = { repository: alpine, fromDigest: 'sha256:1', toDigest: digestOf('x') }
    expect(await refusalOf(diffDigests(question, callBy(viewer)))).toMatch(/^invalid-digest /)
    expect(await refusalOf(diffDigests({ ...question, repository: 'nginx' }, callBy(viewer)))).toMatch(
      /^invalid-argument /,
    )
    const digest = await see('library/alpine:3.10')
    expect(await refusalOf(digestSize({ repository: alpine, digest, arch: '../..' }, callBy(viewer)))).toMatch(
      /^invalid-platform /,
    )
  })

  it('is given to whoever may read the repository in the path, and tells others not even whether there is one', async () => {
    const question = { repository: alpine, ...(await seePair('library/alpine:3.10')) }
    const nowhere = { ...question, repository: `${acme}/0123456789abcdef` }
    const rival = callBy(viewerOf(await group('rival')))
    for (const repository of [question, nowhere]) {
      expect(await refusalOf(diffDigests(repository, callBy(anonymousCaller())))).toMatch(/^unauthenticated /)
      expect(await refusalOf(diffDigests(repository, rival))).toMatch(/^forbidden .*repo\.list/)
    }
    expect(await refusalOf(diffDigests(nowhere, callBy(viewer)))).toMatch(/^not-found there is no repository/)
    const lister = { ...viewer, grants: [{ scope: acme, capabilities: new Set(['repo.list', 'sboms.list'] as const) }] }
    expect(await refusalOf(diffDigests(question, callBy(lister)))).toMatch(/^forbidden .*vuln_reports\.list/)
    const open = await bind(acme, 'open', 'library/alpine', true)
    const { response } = await diffDigests({ ...question, repository: open }, callBy(anonymousCaller()))
    expect(response.packages.changed).toHaveLength(4)
    expect(
      registry.requests.latest().every(({ path }) => path.startsWith('/v2/library/alpine/') || path === '/v2/'),
    ).toBe(true)
  })
})

describe('what a digest is', () => {
  it('is said of its configuration, its architectures and its size', async () => {
    const config = {
      ...{ User: '65532', Env: ['PATH=/bin'], Entrypoint: ['/app'], WorkingDir: '/srv', StopSignal: 'SIGINT' },
      ...{ ExposedPorts: { '8080/tcp': {} }, Volumes: { '/data': {} }, Labels: { maintainer: 'a' } },
    }
    const layers = [[{ path: 'app', content: 'x' }]]
    const build = (architecture: string, variant?: string) => ({
      platform: { os: 'linux', architecture, ...(variant && { variant }) },
      image: buildImage({ os: 'linux', architecture, created: '2026-01-01T00:00:00Z', layers, config }),
    })
    const index = buildIndex([build('amd64'), build('arm', 'v7')])
    registry.content.putImage('library/alpine:config', index)
    const digest = await see('library/alpine:config')
    const warnings: string[] = []
    const call = callBy(viewer, { warn: (text) => warnings.push(text) })
    expect(await digestImageConfig({ repository: alpine, digest }, call)).toEqual({
      ...{ user: '65532', env: ['PATH=/bin'], entrypoint: ['/app'], cmd: [], workingDir: '/srv', stopSignal: 'SIGINT' },
      ...{ exposedPorts: { '8080/tcp': {} }, volumes: { '/data': {} }, labels: { maintainer: 'a' } },
    })
    expect(warnings).toEqual([expect.stringContaining('is an index')])
    expect(await digestArchitectures({ repository: alpine, digest }, call)).toEqual(['amd64', 'arm/v7'])
    const arm = index.children[1]
    const bytes = [...(arm?.blobs.values() ?? [])].reduce((sum, blob) => sum + blob.byteLength, 0)
    const question = { repository: alpine, digest, arch: 'arm/v7' }
    expect(await digestSize(question, call)).toEqual({ sizeBytes: bytes, arch: 'arm/v7' })
    expect(await digestSize({ repository: alpine, digest: arm?.digest ?? '' }, call)).toMatchObject({
      sizeBytes: bytes,
    })
    expect(await refusalOf(digestSize({ ...question, arch: 's390x' }, call))).toMatch(/^platform-not-found /)
  })
})
