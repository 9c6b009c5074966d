import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { imageOfSources, listing, smallCaptures, smallPackages } from '../../../test/support/layers.js'
import { describeWith } from '../../../test/support/needs.js'
import { type TarInput, tar } from '../../../test/support/tar.js'
import { systemClock } from '../../core/clock.js'
import { digestOf } from '../../core/digest.js'
import { formatPlatform, parsePlatform } from '../../core/platform.js'
import { type BuiltImage, buildImage, buildIndex } from '../../test-registry/build-image.js'
import { compileCaptures } from '../capture.js'
import { collectEvidence } from '../collect-evidence.js'
import type { LayerRecord } from '../layer-record.js'
import { mergeLayers } from '../merge-layers.js'
import { readDistribution } from '../os-release.js'
import { readFolder } from '../read-folder.js'
import type { SourceImage } from './image-source.js'
import { findSource, imageSources } from './list.js'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-sources-'))
afterAll(() => rmSync(folder, { recursive: true }))
const matcher = compileCaptures([{ captures: smallCaptures }])

async function open(text: string, platform: string | null = null, checkDiffId = true): Promise<SourceImage> {
  const found = findSource(text)
  if (found === null) throw new Error(`no source: ${text}`)
  const options = { platform: platform === null ? null : parsePlatform(platform), clock: systemClock, checkDiffId }
  return found.source.open(found.location, options)
}

async function pathsOf(image: SourceImage): Promise<string[]> {
  try {
    return listing((await imageOfSources(image.layers, matcher)).tree)
  } finally {
    await image.close()
  }
}

const image = (architecture: string, ...files: string[]) =>
  buildImage({
    os: 'linux',
    architecture,
    created: '2026-01-01T00:00:00Z',
    layers: files.map((path) => [{ path, content: architecture }]),
  })

/** Files of an OCI layout that holds all of `top`. */
function layoutOf(...top: { built: BuiltImage; name?: string }[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]])
  const blob = (digest: string, bytes: Uint8Array) => files.set(`blobs/${digest.replace(':', '/')}`, bytes)
  const add = (built: BuiltImage) => {
    blob(built.digest, built.bytes)
    for (const [digest, bytes] of built.blobs) blob(digest, bytes)
    for (const child of built.children) add(child)
  }
  const manifests = top.map(({ built, name }) => {
    add(built)
    const annotations = name === undefined ? {} : { annotations: { 'org.opencontainers.image.ref.name': name } }
    return { mediaType: built.mediaType, digest: built.digest, size: built.bytes.length, ...annotations }
  })
  return files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })))
}

function writeLayout(name: string, files: ReadonlyMap<string, Uint8Array>): string {
  for (const [path, bytes] of files) {
    mkdirSync(join(folder, name, path, '..'), { recursive: true })
    writeFileSync(join(folder, name, path), bytes)
  }
  return join(folder, name)
}

function writeTar(
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
  more: TarInput[] = [],
  pack = (bytes: Buffer) => bytes,
): string {
  const entries = Array.from(files, ([path, content]) => ({ path, content }))
  writeFileSync(join(folder, name), pack(tar(...entries, ...more)))
  return join(folder, name)
}

describe('imageSources', () => {
  it('are all in the list', () => {
    const helpers = ['archive-files', 'image-source', 'list', 'local-files', 'oci-layout', 'read-file']
    const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    const plugIns = files.map((file) => file.slice(0, -3)).filter((file) => !helpers.includes(file))
    expect(imageSources.map(({ scheme }) => scheme).sort()).toEqual(plugIns.sort())
    expect(findSource('nginx:1.27')).toBeNull()
    expect(findSource('oci-archive:x')?.source.scheme).toBe('oci-archive')
  })
})

describe('oci and oci-archive', () => {
  const amd = image('amd64', 'a', 'b/c')
  const arm = image('arm64', 'd')
  const index = buildIndex([
    { platform: { os: 'linux', architecture: 'amd64' }, image: amd },
    { platform: { os: 'linux', architecture: 'arm64' }, image: arm },
  ])

  it('find the one image there is', async () => {
    const files = layoutOf({ built: amd })
    for (const text of [
      `oci:${writeLayout('one', files)}`,
      `oci-archive:${writeTar('one.tar', files)}`,
      `oci-archive:${writeTar('one.tar.gz', files, [], gzipSync)}`,
    ]) {
      const found = await open(text)
      expect(found).toMatchObject({
        reference: text,
        digest: amd.digest,
        platform: { os: 'linux', architecture: 'amd64' },
      })
      expect(found.layers).toHaveLength(2)
      expect(await pathsOf(found)).toEqual(['f a', 'd b', 'f b/c'])
    }
  })

  it('choose by tag and by platform', async () => {
    const path = writeLayout(
      'many',
      layoutOf({ built: amd, name: 'only-amd' }, { built: index, name: 'example.com/app:1.2' }),
    )
    expect((await open(`oci:${path}:only-amd`)).digest).toBe(amd.digest)
    expect((await open(`oci:${path}:1.2`, 'linux/arm64')).digest).toBe(arm.digest)
    expect((await open(`oci:${path}:example.com/app:1.2`, 'linux/amd64')).digest).toBe(amd.digest)
    await expect(open(`oci:${path}`)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('only-amd, example.com/app:1.2'),
    })
    await expect(open(`oci:${path}:2`)).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(open(`oci:${path}:1.2`, 'linux/s390x')).rejects.toMatchObject({
      code: 'platform-not-found',
      data: { platforms: ['linux/amd64', 'linux/arm64'] },
    })
    await expect(open(`oci:${path}:1.2`)).rejects.toMatchObject({ code: 'platform-not-found' })
  })

  it('take a path with a colon in it', async () => {
    const path = writeLayout('with:colon', layoutOf({ built: amd, name: 'v1' }))
    expect((await open(`oci:${path}`)).digest).toBe(amd.digest)
    expect((await open(`oci:${path}:v1`)).digest).toBe(amd.digest)
    await expect(open(`oci:${join(folder, 'nothing')}`)).rejects.toMatchObject({ code: 'file-unreadable' })
  })

  it('refuse blobs that are missing or are not what their digest says', async () => {
    const files = layoutOf({ built: amd })
    const [layer, other] = [...amd.blobs.keys()].map((digest) => `blobs/${digest.replace(':', '/')}`)
    const damaged = async (name: string, edit: (copy: Map<string, Uint8Array>) => void) => {
      const copy = new Map(files)
      edit(copy)
      const found = await open(`oci-archive:${writeTar(name, copy)}`)
      return pathsOf(found)
    }
    await expect(damaged('x1.tar', (copy) => copy.delete(layer as string))).rejects.toMatchObject({
      code: 'damaged-layer',
    })
    await expect(
      damaged('x2.tar', (copy) => copy.set(layer as string, copy.get(other as string) as Uint8Array)),
    ).rejects.toMatchObject({ code: 'damaged-layer' })
    const manifest = `blobs/${amd.digest.replace(':', '/')}`
    await expect(damaged('x3.tar', (copy) => copy.set(manifest, Buffer.from('{}')))).rejects.toThrow(
      /not what its digest says/,
    )
    await expect(damaged('x4.tar', (copy) => copy.delete('index.json'))).rejects.toMatchObject({
      code: 'unsupported-media',
    })
    writeFileSync(join(folder, 'x5.tar'), readFileSync(writeTar('x6.tar', files)).subarray(0, 3000))
    await expect(open(`oci-archive:${join(folder, 'x5.tar')}`)).rejects.toMatchObject({ code: 'damaged-layer' })
  })

  it.each([
    [
      'an artifact',
      {
        config: 'application/vnd.cncf.helm.config.v1+json',
        layer: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      },
      'vnd.cncf.helm.config',
    ],
    [
      'an attestation',
      { config: 'application/vnd.oci.image.config.v1+json', layer: 'application/vnd.in-toto+json' },
      'attestation',
    ],
  ])('name %s that is no image', async (_, types, message) => {
    const blob = Buffer.from('{}')
    const descriptor = (mediaType: string) => ({ mediaType, digest: digestOf(blob), size: 2 })
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor(types.config),
      layers: [descriptor(types.layer)],
    }
    const bytes = Buffer.from(JSON.stringify(manifest))
    const built = {
      digest: digestOf(bytes),
      mediaType: manifest.mediaType,
      bytes,
      children: [],
      blobs: new Map([[digestOf(blob), blob]]),
    }
    await expect(open(`oci-archive:${writeTar('artifact.tar', layoutOf({ built }))}`)).rejects.toMatchObject({
      code: 'unsupported-media',
      message: expect.stringContaining(message),
    })
  })
})

describe('docker-archive', () => {
  const layer = tar({ path: 'etc/a', content: 'a' })
  const config = (...ids: string[]) =>
    Buffer.from(JSON.stringify({ os: 'linux', architecture: 'arm64', variant: 'v8', rootfs: { diff_ids: ids } }))
  const saved = (list: unknown) =>
    new Map<string, Uint8Array>([
      ['config.json', config(digestOf(layer))],
      ['real.tar', layer],
      ['packed.tar.gz', gzipSync(layer)],
      ['manifest.json', Buffer.from(JSON.stringify(list))],
    ])
  const links: TarInput[] = [
    { path: 'x/layer.tar', type: '2', link: '../real.tar' },
    { path: 'y/layer.tar', type: '1', link: './real.tar' },
    { path: 'loop', type: '2', link: 'loop' },
  ]

  it.each(['real.tar', './real.tar', 'x/layer.tar', 'y/layer.tar', 'packed.tar.gz'])(
    'reads the layer %s',
    async (path) => {
      const list = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: [path] }]
      for (const pack of [(bytes: Buffer) => bytes, gzipSync]) {
        const found = await open(`docker-archive:${writeTar('saved.tar', saved(list), links, pack)}`)
        expect(found).toMatchObject({ digest: null, manifest: null, platform: { architecture: 'arm64' } })
        expect(await pathsOf(found)).toEqual(['d etc', 'f etc/a'])
      }
    },
  )

  it('chooses by tag, and says what is wrong', async () => {
    const one = { Config: 'config.json', RepoTags: ['app:1'], Layers: ['real.tar'] }
    const two = { Config: 'config.json', RepoTags: ['app:2', 'example.com/app:latest'], Layers: ['packed.tar.gz'] }
    const path = writeTar('two.tar', saved([one, two]), links)
    for (const tag of ['2', 'app:2', 'app:latest', 'example.com/app:latest']) {
      const found = await open(`docker-archive:${path}:${tag}`)
      expect(found.layers[0]?.sizeBytes).toBe(gzipSync(layer).length)
      await found.close()
    }
    await expect(open(`docker-archive:${path}`)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('app:1, app:2'),
    })
    const refused = (list: unknown) => open(`docker-archive:${writeTar('bad.tar', saved(list), links)}`)
    await expect(refused([{ ...one, Layers: ['loop'] }])).rejects.toMatchObject({ code: 'damaged-layer' })
    await expect(refused([{ ...one, Layers: ['../../etc/passwd'] }])).rejects.toMatchObject({ code: 'damaged-layer' })
    await expect(refused([{ ...one, Layers: [] }])).rejects.toThrow(/0 layers, and its configuration 1/)
    await expect(refused([{ ...one, Config: 'nothing' }])).rejects.toThrow(/configuration of the image is missing/)
    await expect(refused({})).rejects.toThrow(/not a list of images/)
    writeFileSync(join(folder, 'empty.tar'), tar())
    await expect(open(`docker-archive:${join(folder, 'empty.tar')}`)).rejects.toMatchObject({
      code: 'unsupported-media',
    })
    writeFileSync(join(folder, 'page.tar'), '<html>'.repeat(1000))
    await expect(open(`docker-archive:${join(folder, 'page.tar')}`)).rejects.toThrow(/no tar archive/)
  })
})

describe('dir', () => {
  it('reads a root file system and never leaves it', async () => {
    const root = join(folder, 'rootfs')
    mkdirSync(join(root, 'usr/lib/apk/db'), { recursive: true })
    mkdirSync(join(root, 'data'))
    writeFileSync(join(folder, 'outside'), 'P:outside\nV:1\n\n')
    writeFileSync(join(root, 'data/db'), 'P:demo\nV:1.0-r0\n\n')
    writeFileSync(join(root, 'data/large'), Buffer.alloc(600_000, 1))
    symlinkSync('/data/db', join(root, 'usr/lib/apk/db/installed'))
    symlinkSync('usr/lib', join(root, 'lib'))
    mkdirSync(join(root, 'opt/node_modules/x'), { recursive: true })
    symlinkSync('../../../../outside', join(root, 'opt/node_modules/x/package.json'))
    execFileSync('mkfifo', [join(root, 'data/pipe')])
    const found = await open(`dir:${root}`)
    expect(found).toMatchObject({ digest: null, layers: [], folder: root })
    const first = await readFolder(root, { matcher, hashFiles: true })
    const { tree } = mergeLayers([first])
    expect(listing(tree)).toEqual([
      'd data',
      'f data/db',
      'f data/large',
      'o data/pipe',
      'l lib',
      'd opt',
      'd opt/node_modules',
      'd opt/node_modules/x',
      'l opt/node_modules/x/package.json',
      'd usr',
      'd usr/lib',
      'd usr/lib/apk',
      'd usr/lib/apk/db',
      'l usr/lib/apk/db/installed',
    ])
    const { missing } = collectEvidence(tree, [first], matcher)
    expect(missing).toEqual([{ layer: 0, path: 'data/db', asPath: 'usr/lib/apk/db/installed' }])
    const second = await readFolder(root, { matcher, extra: missing })
    expect(second.evidence.map(({ path }) => path)).toEqual(['data/db'])
    const digests = Array.from(first.files.records(), ({ digestStart }) =>
      first.files.bytes.toString('hex', digestStart, digestStart + 32),
    )
    expect(digests).toContain(digestOf(Buffer.alloc(600_000, 1)).slice(7))
    await expect(open(`dir:${join(folder, 'nothing')}`)).rejects.toMatchObject({
      ...{ code: 'file-unreadable', message: `no such folder: '${join(folder, 'nothing')}'` },
    })
  })
})

describeWith({ shared: true }, 'real images', ({ shared }) => {
  const data = (path: string) => join(shared, 'data', path)
  interface Facts {
    readonly manifest?: string
    readonly platform?: { architecture: string; os: string; variant?: string } | null
    readonly annotations?: Record<string, string> | null
    readonly layers?: number
    readonly entries?: number
    readonly diff_ids_match?: boolean
    readonly os?: { ID: string; VERSION_ID: string; PRETTY_NAME: string }
    readonly packageCounts?: Record<string, number>
    readonly arch?: string
  }
  const factsFile = data('expected/images.json')
  const expected = existsSync(factsFile) ? (JSON.parse(readFileSync(factsFile, 'utf8')) as Record<string, Facts[]>) : {}

  const archives = Object.keys(expected).filter(
    (name) => name.startsWith('images/') && Array.isArray(expected[name]) && !name.endsWith('empty.tar'),
  )
  it.each(archives)('%s: digest, layers, entries, distribution, packages', async (name) => {
    const facts = (expected[name] ?? []).find((fact) => fact.layers !== undefined)
    const isOci = facts?.manifest !== undefined && facts.layers !== undefined
    const tags = name.includes('bundle') ? ':test_image_1' : ''
    for (const scheme of isOci && !name.includes('hello-world')
      ? ['oci-archive', 'docker-archive']
      : ['docker-archive']) {
      const checkDiffId = facts?.diff_ids_match !== false
      const found = await open(`${scheme}:${data(name)}${tags}`, null, checkDiffId)
      if (isOci) expect(found.digest).toBe(facts?.manifest)
      expect(found.layers).toHaveLength(facts?.layers ?? 0)
      expect(found.platform?.architecture).toBe(facts?.arch)
      const read = await imageOfSources(found.layers, matcher, { checkDiffId })
      await found.close()
      expectEntries(read.records, facts?.entries)
      expect(readDistribution(read.evidence.files)).toEqual(
        facts?.os === undefined
          ? null
          : expect.objectContaining({ id: facts.os.ID, versionId: facts.os.VERSION_ID, name: facts.os.PRETTY_NAME }),
      )
      expect(smallPackages(read.evidence.files)).toHaveLength(facts?.packageCounts?.apk ?? 0)
      if (!checkDiffId) await expect(open(`${scheme}:${data(name)}`)).rejects.toMatchObject({ code: 'damaged-layer' })
    }
  })

  /**
   * The expected numbers count each path of any layer once, and the root where an archive has an entry for it, which we do
   * not list; where names have no `./` they leave out whiteouts and what these hide, but count the markers of opaque folders.
   */
  function expectEntries(records: readonly LayerRecord[], wanted: number | undefined): void {
    const paths = new Set<string>()
    const hidden = new Set<string>()
    for (const { files } of records) {
      for (const { offset } of files.records()) {
        const path = files.path(offset)
        paths.add(path)
        if (path.includes('.wh.') && !path.endsWith('.wh..wh..opq')) hidden.add(path).add(path.replace('.wh.', ''))
      }
    }
    const applied = [...paths].filter((path) => !hidden.has(path)).length
    expect([paths.size, paths.size + 1, applied]).toContain(wanted)
  }

  it('images/node-removed-oci.tar: what was removed is not there', async () => {
    const found = await open(`oci-archive:${data('images/node-removed-oci.tar')}`)
    const paths = await pathsOf(found)
    expect(paths).toContain('f bin/busybox')
    expect(paths.filter((path) => /node$|\.wh\./.test(path))).toEqual([])
  })

  it.each([
    'busybox-musl',
    'ggcr-test_index',
    'stereoscope-valid_oci_dir',
    'slsa-container-v2.1.0/container_workflow_dispatch',
  ])('oci-layouts/%s: every image by its platform', async (name) => {
    const facts = (expected[`oci-layouts/${name}`] ?? []).filter((fact) => fact.layers !== undefined)
    expect(facts.length).toBeGreaterThan(0)
    for (const fact of facts) {
      // Those without a name of their own are below an index that another one names.
      const tag = fact.annotations?.['org.opencontainers.image.ref.name']
      if (tag === undefined && name === 'busybox-musl') continue
      const platform = fact.platform ? formatPlatform(fact.platform) : null
      const text = `oci:${data(`oci-layouts/${name}`)}${tag === undefined ? '' : `:${tag}`}`
      const found = await open(text, platform)
      const known = facts.find(({ manifest }) => manifest === found.digest)
      expect(known).toBeDefined()
      expect(found.layers).toHaveLength(known?.layers ?? -1)
      const { records } = await imageOfSources(found.layers, matcher)
      expectEntries(records, known?.entries)
    }
  })

  it('an archive of a layout is read as the layout is', async () => {
    const copy = join(folder, 'layout')
    cpSync(data('oci-layouts/stereoscope-valid_oci_dir'), copy, { recursive: true })
    execFileSync('tar', ['-C', copy, '-czf', join(folder, 'layout.tgz'), '.'])
    const found = await open(`oci-archive:${join(folder, 'layout.tgz')}:latest`)
    expect(found.digest).toBe((await open(`oci:${copy}:latest`)).digest)
    await found.close()
  })
})
