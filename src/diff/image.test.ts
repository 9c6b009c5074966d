import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { ImageDiff as WireDiff } from '../../client/src/diff.js'
import type { ScanReport as WireScan } from '../../client/src/scan.js'
import { type Digest, digestOf } from '../core/digest.js'
import type { Finding, ScanReport } from '../core/finding.js'
import { type ImageConfig, parseImageConfig } from '../core/image-config.js'
import type { ImageDiff } from '../core/image-diff.js'
import type { FileFact, ImageFacts, LayerFacts } from '../core/image-facts.js'
import type { Package } from '../core/package.js'
import { diffImages, isDifferent } from './image.js'

const config = (parts: object): ImageConfig => parseImageConfig(Buffer.from(JSON.stringify({ config: parts })))

const layer = (content: string, packed = content): LayerFacts => ({
  digest: digestOf(packed),
  diffId: digestOf(content),
  sizeBytes: packed.length,
  unpackedBytes: content.length * 2,
})

const file = (path: string, more: Partial<FileFact> = {}): FileFact => ({
  path,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 3,
  mtime: 1,
  link: null,
  digest: 'aa',
  ...more,
})

const busybox = (version: string, licenses: string[] = []): Package => ({
  type: 'apk',
  name: 'busybox',
  version,
  architecture: 'x86_64',
  source: null,
  licenses,
  evidence: 'lib/apk/db/installed',
  purl: `pkg:apk/alpine/busybox@${version}?arch=x86_64`,
  layer: null,
  ownedBy: null,
})

const image = (
  parts: Partial<ImageFacts> & { packages?: Package[]; complete?: boolean; warnings?: string[] } = {},
): ImageFacts => {
  const { packages = [], complete = true, warnings = [], ...more } = parts
  return {
    inventory: {
      image: { reference: 'example.com/a:1', digest: null, platform: 'linux/amd64' },
      distribution: null,
      evidence: 'layers',
      packages,
      complete,
      warnings,
    },
    config: config({}),
    layers: [],
    platforms: null,
    ...more,
  }
}

describe('diffImages', () => {
  it('is the document of the native API', () => {
    type Mutable<T> = T extends Digest ? string : T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T
    expectTypeOf<keyof ImageDiff>().toEqualTypeOf<keyof WireDiff>()
    expectTypeOf<Mutable<ImageDiff['snapshot']>>().toEqualTypeOf<WireDiff['snapshot']>()
    expectTypeOf<Mutable<ImageDiff['vulnerabilities']>>().toExtend<WireDiff['vulnerabilities']>()
    expectTypeOf<Mutable<ScanReport>>().toExtend<WireScan>()
    expectTypeOf<keyof Finding>().toEqualTypeOf<keyof WireScan['findings'][number]>()
    expectTypeOf<Mutable<ImageDiff['config']>>().toExtend<WireDiff['config']>()
    expectTypeOf<Mutable<ImageDiff['files']>>().toExtend<WireDiff['files']>()
    expectTypeOf<Mutable<ImageDiff['size']>>().toEqualTypeOf<WireDiff['size']>()
    expectTypeOf<keyof ImageDiff['packages']['changed'][number]>().toEqualTypeOf<
      keyof WireDiff['packages']['changed'][number]
    >()
    expectTypeOf<keyof ImageDiff['packages']['added'][number]>().toEqualTypeOf<
      keyof WireDiff['packages']['added'][number]
    >()
  })

  it('is what docs/schemas/diff.schema.json says', () => {
    const schema = JSON.parse(readFileSync('docs/schemas/diff.schema.json', 'utf8')) as object
    const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema)
    const busy = {
      User: 'a',
      Cmd: ['a'],
      Env: ['A=1'],
      Healthcheck: { Test: ['NONE'], Retries: 1 },
      ExposedPorts: { '80/tcp': {} },
    }
    const from = image({
      packages: [busybox('1'), busybox('3', ['MIT'])],
      layers: [layer('a'), layer('b')],
      files: [file('a'), file('b')],
    })
    const to = image({
      packages: [busybox('2')],
      config: config(busy),
      layers: [layer('a')],
      files: [file('b', { mode: 1 })],
      platforms: ['linux/amd64'],
    })
    for (const diff of [
      diffImages(from, to, 1),
      diffImages(to, from, 0),
      diffImages(image({ config: null }), image(), 0),
    ]) {
      validate(diff)
      expect(validate.errors).toBeNull()
    }
    expect(validate({ ...diffImages(from, to, 1), more: 1 })).toBe(false)
  })

  it('says what differs in the configuration, and nothing of what does not', () => {
    const from = image({
      config: config({
        User: 'root',
        WorkingDir: '/app',
        Env: ['A=1', 'B=1', 'C=1'],
        Cmd: ['a'],
        ExposedPorts: { '80/tcp': {} },
        Volumes: { '/data': {} },
        Labels: { x: '1' },
        StopSignal: 'SIGTERM',
        Healthcheck: { Test: ['NONE'] },
      }),
    })
    const to = image({
      config: config({
        User: '65532',
        WorkingDir: '/app',
        Env: ['D=1', 'C=2', 'B=1'],
        Entrypoint: ['b'],
        ExposedPorts: { '8080/tcp': {} },
        Volumes: { '/data': {} },
        Labels: { x: '1' },
        StopSignal: 'SIGQUIT',
        Healthcheck: { Test: ['NONE'], Retries: 2 },
      }),
    })
    const defaults = { test: ['NONE'], intervalMs: null, timeoutMs: null, startPeriodMs: null, retries: null }
    expect(diffImages(from, to, 0).config).toEqual({
      user: { from: 'root', to: '65532' },
      stopSignal: { from: 'SIGTERM', to: 'SIGQUIT' },
      entrypoint: { from: null, to: ['b'] },
      cmd: { from: ['a'], to: null },
      healthcheck: { from: defaults, to: { ...defaults, retries: 2 } },
      env: {
        added: [{ name: 'D', value: '1' }],
        removed: [{ name: 'A', value: '1' }],
        changed: [{ name: 'C', from: '1', to: '2' }],
      },
      ports: { added: ['8080/tcp'], removed: ['80/tcp'] },
    })
  })

  it('tells shared layers by what is in them, each as often as it is there', () => {
    const from = image({ layers: [layer('a'), layer('empty'), layer('empty'), layer('b')] })
    const to = image({ layers: [layer('a', 'packed otherwise'), layer('empty'), layer('c')] })
    const diff = diffImages(from, to, 0)
    expect(diff.layers).toEqual({
      shared: [layer('a', 'packed otherwise'), layer('empty')],
      added: [layer('c')],
      removed: [layer('empty'), layer('b')],
    })
    expect(diff.size).toEqual({
      compressedBytes: { from: 12, to: 22 },
      packages: [],
      unpackedBytes: { from: 24, to: 14 },
    })
  })

  it('tells the size of packages by the difference, where databases know it', () => {
    const sized = (name: string, version: string, installedBytes: number | null) => {
      return { ...busybox(version), name, installedBytes }
    }
    const before = [sized('grown', '1', 10), sized('gone', '1', 7), sized('same', '1', 5), sized('unknown', '1', null)]
    const after = [sized('grown', '2', 12), sized('new', '1', 100), sized('same', '2', 5), sized('unknown', '2', 9)]
    expect(diffImages(image({ packages: before }), image({ packages: after }), 0).size.packages).toEqual([
      { type: 'apk', name: 'new', from: 0, to: 100 },
      { type: 'apk', name: 'gone', from: 7, to: 0 },
      { type: 'apk', name: 'grown', from: 10, to: 12 },
    ])
  })

  it('compares layers by digest where a diffID is unknown, and not at all where that is too', () => {
    const unknown = { ...layer('a'), diffId: null }
    expect(diffImages(image({ layers: [unknown] }), image({ layers: [layer('a')] }), 0).layers?.shared).toHaveLength(1)
    const nothing = { ...unknown, digest: null, sizeBytes: null }
    const diff = diffImages(image({ layers: [nothing] }), image({ layers: [layer('a')] }), 0)
    expect(diff.layers).toBeNull()
    expect(diff.size.compressedBytes).toEqual({ from: null, to: 1 })
  })

  it('says unknown, not none, of what a side has not', () => {
    const sbom = image({ config: null })
    const { config: configuration, layers, size, platforms, files } = diffImages(sbom, image(), 0)
    expect({ configuration, layers, platforms, files }).toEqual({
      configuration: null,
      layers: null,
      platforms: null,
      files: null,
    })
    expect(size.compressedBytes).toEqual({ from: null, to: 0 })
  })

  it('compares platforms and licenses as sets', () => {
    const from = image({ platforms: ['linux/amd64', 'linux/386'], packages: [busybox('1', ['GPL-2.0-only', 'MIT'])] })
    const to = image({
      platforms: ['linux/arm64', 'linux/amd64'],
      packages: [busybox('1', ['GPL-2.0-or-later', 'MIT'])],
    })
    const diff = diffImages(from, to, 0)
    expect(diff.platforms).toEqual({ added: ['linux/arm64'], removed: ['linux/386'] })
    expect(diff.licenses).toEqual({ gained: ['GPL-2.0-or-later'], lost: ['GPL-2.0-only'] })
  })

  it('compares files, and counts those that differ in their time alone', () => {
    const from = [
      file('gone'),
      file('same'),
      file('touched'),
      file('edited'),
      file('link', { type: 'symbolic-link', link: 'a', digest: null }),
      file('unread', { digest: null }),
      file('grown', { digest: null }),
      file('moved', { mode: 0o755, uid: 1 }),
    ]
    const to = [
      file('new'),
      file('same'),
      file('touched', { mtime: 2 }),
      file('edited', { mtime: 2, digest: 'bb' }),
      file('link', { type: 'symbolic-link', link: 'b', digest: null }),
      file('unread', { digest: null }),
      file('grown', { digest: null, sizeBytes: 4 }),
      file('moved', { type: 'directory', digest: null }),
    ]
    expect(diffImages(image({ files: from }), image({ files: to.reverse() }), 0).files).toEqual({
      added: ['new'],
      removed: ['gone'],
      changed: [
        { path: 'edited', changes: ['content', 'time'] },
        { path: 'grown', changes: ['size'] },
        { path: 'link', changes: ['link'] },
        { path: 'moved', changes: ['type', 'mode', 'owner'] },
      ],
      timeOnly: 1,
      unknown: 1,
    })
  })

  it.each([
    ['nothing compared', image(), image({ layers: [layer('a')] }), null],
    ['the same layers', image({ layers: [layer('a')] }), image({ layers: [layer('a')] }), true],
    [
      'times alone',
      image({ layers: [layer('a')], files: [file('a')] }),
      image({ files: [file('a', { mtime: 2 })] }),
      true,
    ],
    ['a file', image({ layers: [layer('a')], files: [file('a')] }), image({ files: [file('b')] }), false],
    ['a package', image({ packages: [busybox('1')] }), image({ packages: [busybox('2')] }), false],
    ['a variable', image({ config: config({ Env: ['A=1'] }) }), image(), false],
    [
      'a file that nobody read',
      image({ layers: [layer('a')], files: [file('a', { digest: null })] }),
      image({ files: [file('a')] }),
      null,
    ],
  ])('knows whether two images are the same but for timestamps: %s', (_, from, to, expected) => {
    expect(diffImages(from, to, 0).sameButForTimestamps).toBe(expected)
  })

  it('is complete when both sides are, and names the side of a warning', () => {
    const from = image({ complete: false, warnings: ['both', 'left'] })
    const diff = diffImages(from, image({ warnings: ['right', 'both'] }), 7)
    expect(diff.complete).toBe(false)
    expect(diff.warnings).toEqual(['both', 'from: left', 'to: right'])
    expect(diff.bytesFetched).toBe(7)
  })

  it('gives the same bytes whatever order packages and files come in', () => {
    const packages = [busybox('1.9-r0'), busybox('1.10-r0'), busybox('2')]
    const files = [file('a'), file('b'), file('c')]
    const text = (from: Package[], to: FileFact[]) => {
      return JSON.stringify(
        diffImages(image({ packages: from, files: [] }), image({ packages: [busybox('3')], files: to }), 0),
      )
    }
    const expected = text(packages, files)
    const any = fc.tuple(fc.shuffledSubarray(packages, { minLength: 3 }), fc.shuffledSubarray(files, { minLength: 3 }))
    fc.assert(fc.property(any, ([from, to]) => text(from, to) === expected))
  })
})

describe('isDifferent', () => {
  it.each([
    [image(), image(), false],
    [image({ packages: [busybox('1')] }), image({ packages: [busybox('1')] }), false],
    [image({ packages: [busybox('1')] }), image(), true],
    [image({ layers: [layer('a')] }), image({ layers: [layer('b')] }), true],
    [image({ config: config({ User: 'a' }) }), image(), true],
    [image({ files: [file('a')] }), image({ files: [file('a', { mtime: 2 })] }), true],
  ])('%#', (from, to, expected) => {
    expect(isDifferent(diffImages(from, to, 0))).toBe(expected)
  })
})
