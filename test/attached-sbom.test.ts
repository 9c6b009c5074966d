import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageDiff, PackageList, ScanReport } from '../client/src/index.js'
import { type Digest, digestOf } from '../src/core/digest.js'
import { buildImage } from '../src/test-registry/build-image.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { importAdvisory } from './support/advisories.js'
import { createCli } from './support/cli.js'

const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
const ociIndex = 'application/vnd.oci.image.index.v1+json'
const spdxPredicate = 'https://spdx.dev/Document'

let registry: TestRegistry
beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(async () => {
  await registry.close()
})

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function putBlob(repository: string, value: unknown, mediaType: string, annotations = {}) {
  const bytes = json(value)
  registry.content.repository(repository).blobs.set(digestOf(bytes), bytes)
  return { mediaType, digest: digestOf(bytes), size: bytes.length, annotations }
}

function putManifest(repository: string, reference: string, value: object, mediaType = ociManifest) {
  return registry.content.putManifest(repository, reference, mediaType, json({ schemaVersion: 2, mediaType, ...value }))
}

/** A Wolfi image with one package, `busybox`, of that version. */
function putImage(repository: string, version: string) {
  const database = `P:busybox\nV:${version}\nA:x86_64\n\n`
  const image = buildImage({
    ...{ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z' },
    layers: [
      [
        { path: 'etc/os-release', content: 'ID=wolfi\n' },
        { path: 'lib/apk/db/installed', content: database },
      ],
    ],
  })
  const { blobs, manifests } = registry.content.repository(repository)
  for (const [digest, bytes] of image.blobs) blobs.set(digest, bytes)
  manifests.set(image.digest, image)
  return { digest: image.digest, size: image.bytes.byteLength }
}

/** SPDX 2.3 that names what the image does not have: who lists it has read the SBOM. */
const sbomOf = (version: string, tool: string) => ({
  ...{
    spdxVersion: 'SPDX-2.3',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: 'image',
    creationInfo: { creators: [`Tool: ${tool}`] },
  },
  packages: [
    {
      ...{ name: 'from-sbom', SPDXID: 'SPDXRef-1', versionInfo: version },
      externalRefs: [
        { referenceType: 'purl', referenceLocator: `pkg:apk/wolfi/from-sbom@${version}?arch=x86_64&distro=wolfi` },
      ],
    },
  ],
})

const statement = (digest: string, predicate: unknown) => ({
  _type: 'https://in-toto.io/Statement/v0.1',
  predicateType: spdxPredicate,
  subject: [{ name: 'pkg:docker/a', digest: { sha256: digest.slice('sha256:'.length) } }],
  predicate,
})

interface Recipe {
  readonly version: string
  readonly tool?: string
  /** What the statement says it is about, when that is not the image. */
  readonly subject?: string
  /** What the index says that the attestation is about, when that is not the image. */
  readonly named?: string
}

/** An index as BuildKit writes it: the image and its attestations, SBOM and provenance. */
function putBuild(repository: string, tag: string, { version, tool = 'syft-1.18.1', ...recipe }: Recipe): Digest {
  const image = putImage(repository, version)
  const { subject = image.digest, named = image.digest } = recipe
  const predicate = (type: string) => ({ 'in-toto.io/predicate-type': type })
  const attestation = putManifest(repository, '-', {
    config: putBlob(repository, {}, 'application/vnd.oci.image.config.v1+json'),
    layers: [
      putBlob(
        repository,
        { provenance: version },
        'application/vnd.in-toto+json',
        predicate('https://slsa.dev/provenance/v1'),
      ),
      putBlob(
        repository,
        statement(subject, sbomOf(version, tool)),
        'application/vnd.in-toto+json',
        predicate(spdxPredicate),
      ),
    ],
  })
  const unknown = { os: 'unknown', architecture: 'unknown' }
  const about = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': named }
  const manifests = [
    { mediaType: ociManifest, ...image, platform: { os: 'linux', architecture: 'amd64' } },
    {
      ...{ mediaType: ociManifest, digest: attestation.digest, size: attestation.bytes.length },
      platform: unknown,
      annotations: about,
    },
  ]
  putManifest(repository, tag, { manifests }, ociIndex)
  return image.digest
}

const names = (list: PackageList) => list.packages.map(({ name, version }) => `${name} ${version}`)

describe('an SBOM that the index names', () => {
  it('stands for the layers, which are not fetched; a second time nothing is', async () => {
    putBuild('sbom/named', '1', { version: '1.0-r0' })
    const cli = createCli()
    const args = ['packages', `${registry.address}/sbom/named:1`, '--platform', 'linux/amd64']
    registry.requests.clear()
    const list = (await cli.json(...args)) as PackageList
    expect(names(list)).toEqual(['from-sbom 1.0-r0'])
    expect(list).toMatchObject({ evidence: 'sbom', sbomTool: 'syft 1.18.1', distribution: { id: 'wolfi' } })
    // HEAD of the tag; index, manifest and attestation; configuration and SBOM.
    expect(registry.requests.counts()).toEqual({ 'HEAD manifest': 1, 'GET manifest': 3, 'GET blob': 2 })
    registry.requests.clear()
    expect(names((await cli.json(...args)) as PackageList)).toEqual(names(list))
    expect(registry.requests.counts()).toEqual({ 'HEAD manifest': 1 })
    const layers = (await cli.json(...args, '--evidence', 'layers')) as PackageList
    expect(names(layers)).toEqual(['busybox 1.0-r0'])
    expect(layers).toMatchObject({ evidence: 'layers', sbomTool: null })
    // What is known already goes before what would cost.
    expect(((await cli.json(...args)) as PackageList).evidence).toBe('layers')
  })

  it.each([
    ['is about another image', { subject: `sha256:${'1'.repeat(64)}` }],
    ['is said to be about another image', { named: `sha256:${'1'.repeat(64)}` }],
  ])('is not taken when it %s', async (_, recipe) => {
    putBuild('sbom/foreign', '1', { version: '1.0-r0', ...recipe })
    const reference = `${registry.address}/sbom/foreign:1`
    const list = (await createCli().json('packages', reference, '--platform', 'linux/amd64')) as PackageList
    expect(names(list)).toEqual(['busybox 1.0-r0'])
    expect(
      await createCli().run('packages', reference, '--platform', 'linux/amd64', '--evidence', 'sbom'),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no SBOM is attached to .*--evidence layers/s),
    })
  })
})

describe('a diff', () => {
  const diff = async (repository: string, ...more: string[]) => {
    const reference = `${registry.address}/${repository}`
    return (await createCli().json(
      'diff',
      `${reference}:1`,
      `${reference}:2`,
      '--platform',
      'linux/amd64',
      ...more,
    )) as ImageDiff
  }
  const changed = ({ packages }: ImageDiff) => packages.changed.map(({ name, from, to }) => `${name} ${from} ${to}`)

  it('takes SBOMs of one tool on both sides', async () => {
    putBuild('diff/same', '1', { version: '1.0-r0' })
    putBuild('diff/same', '2', { version: '1.1-r0' })
    const body = await diff('diff/same')
    expect(body.evidence).toEqual({ from: 'sbom', to: 'sbom' })
    expect(changed(body)).toEqual(['from-sbom 1.0-r0 1.1-r0'])
    expect((await diff('diff/same', '--evidence', 'layers')).evidence).toEqual({ from: 'layers', to: 'layers' })
    expect((await diff('diff/same', '--files')).evidence).toEqual({ from: 'layers', to: 'layers' })
  })

  it('reads the layers of both when the tools differ, or one side has none', async () => {
    putBuild('diff/tools', '1', { version: '1.0-r0' })
    putBuild('diff/tools', '2', { version: '1.1-r0', tool: 'syft-1.19.0' })
    const body = await diff('diff/tools')
    expect(body.evidence).toEqual({ from: 'layers', to: 'layers' })
    expect(changed(body)).toEqual(['busybox 1.0-r0 1.1-r0'])
    putBuild('diff/one', '1', { version: '1.0-r0' })
    const bare = putImage('diff/one', '1.2-r0')
    registry.content.repository('diff/one').tags.set('2', bare.digest)
    expect((await diff('diff/one')).evidence).toEqual({ from: 'layers', to: 'layers' })
  })
})

describe('an SBOM that others attached', () => {
  const envelope = (digest: string, version: string) => ({
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(JSON.stringify(statement(digest, sbomOf(version, 'trivy-0.74.0')))).toString('base64'),
    signatures: [{ keyid: '', sig: 'AA==' }],
  })
  const list = async (repository: string) => {
    const args = ['packages', `${registry.address}/${repository}:1`, '--platform', 'linux/amd64']
    const cli = createCli()
    expect(((await cli.json(...args)) as PackageList).evidence).toBe('layers')
    return (await cli.json(...args, '--evidence', 'sbom')) as PackageList
  }

  it("is found under cosign's tag, only where it is asked for", async () => {
    const { digest } = putImage('other/cosign', '1.0-r0')
    registry.content.repository('other/cosign').tags.set('1', digest)
    putManifest('other/cosign', `${digest.replace(':', '-')}.att`, {
      config: putBlob('other/cosign', {}, 'application/vnd.oci.image.config.v1+json'),
      layers: [
        putBlob('other/cosign', envelope(digest, '5'), 'application/vnd.dsse.envelope.v1+json', {
          predicateType: spdxPredicate,
        }),
      ],
    })
    expect(await list('other/cosign')).toMatchObject({ evidence: 'sbom', sbomTool: 'trivy 0.74.0' })
  })

  it('is found among referrers: a bare document, and a bundle of sigstore', async () => {
    const { digest, size } = putImage('other/referrers', '1.0-r0')
    registry.content.repository('other/referrers').tags.set('1', digest)
    const subject = { mediaType: ociManifest, digest, size }
    const config = putBlob('other/referrers', {}, 'application/vnd.oci.empty.v1+json')
    const bundle = { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope: envelope(digest, '6') }
    putManifest('other/referrers', '-', {
      ...{ artifactType: bundle.mediaType, config, subject },
      layers: [putBlob('other/referrers', bundle, bundle.mediaType)],
      annotations: { 'dev.sigstore.bundle.predicateType': spdxPredicate },
    })
    expect(names(await list('other/referrers'))).toEqual(['from-sbom 6'])
    const bare = putImage('other/bare', '1.0-r0')
    registry.content.repository('other/bare').tags.set('1', bare.digest)
    putManifest('other/bare', '-', {
      ...{
        artifactType: 'application/spdx+json',
        config: putBlob('other/bare', {}, 'application/vnd.oci.empty.v1+json'),
      },
      subject: { mediaType: ociManifest, ...bare },
      layers: [putBlob('other/bare', sbomOf('7', 'x'), 'application/spdx+json')],
    })
    expect(names(await list('other/bare'))).toEqual(['from-sbom 7'])
  })
})

describe('VEX that is attached', () => {
  it('counts only where it is asked for, and says that nobody verified it', async () => {
    const { digest } = putImage('vex/attached', '1.0-r0')
    registry.content.repository('vex/attached').tags.set('1', digest)
    const openvex = 'https://openvex.dev/ns/v0.2.0'
    const document = {
      ...{ '@context': openvex, '@id': 'https://example.com/vex', author: 'them', version: 1 },
      timestamp: '2026-11-01T00:00:00Z',
      statements: [
        {
          ...{ vulnerability: { name: 'CVE-2026-1001' }, status: 'not_affected' },
          ...{ products: [{ '@id': 'pkg:apk/wolfi/busybox' }], justification: 'vulnerable_code_not_present' },
        },
      ],
    }
    const payload = { ...statement(digest, document), predicateType: openvex }
    const envelope = {
      payloadType: 'application/vnd.in-toto+json',
      payload: Buffer.from(JSON.stringify(payload)).toString('base64'),
      signatures: [],
    }
    putManifest('vex/attached', `${digest.replace(':', '-')}.att`, {
      config: putBlob('vex/attached', {}, 'application/vnd.oci.image.config.v1+json'),
      layers: [putBlob('vex/attached', envelope, 'application/vnd.dsse.envelope.v1+json', { predicateType: openvex })],
    })
    const cli = createCli()
    const wolfi = { package: { ecosystem: 'Wolfi', name: 'busybox' } }
    const ranges = [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.1-r0' }] }]
    await importAdvisory(cli, [
      { id: 'CVE-2026-1001', modified: '2026-11-01T00:00:00Z', affected: [{ ...wolfi, ranges }] },
    ])
    const scan = async (...more: string[]) => {
      const args = ['scan', `${registry.address}/vex/attached:1`, '--platform', 'linux/amd64', ...more]
      return (await cli.json(...args)) as ScanReport
    }
    expect((await scan()).findings).toMatchObject([{ status: 'affected', vex: null }])
    const report = await scan('--vex', 'attached')
    expect(report.findings).toMatchObject([{ status: 'not_affected', vex: { author: 'them' } }])
    expect(report.warnings.join()).toContain('not verified')
  })
})
