import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../test/support/needs.js'
import { compareManifests } from './compare-manifests.js'
import { digestOf } from './digest.js'
import { Fault } from './fault.js'
import { isAttestation, parseManifest } from './manifest.js'
import { manifestAccept, mediaTypes } from './media-type.js'

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const descriptor = (name: string, more: object = {}) => ({ mediaType: 'x', digest: digestOf(name), size: 1, ...more })
const child = (platform: string, name: string) => {
  const [os, architecture, variant] = platform.split('/')
  return descriptor(name, { platform: { os, architecture, variant } })
}
const attestation = (name: string) =>
  descriptor(name, {
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  })
const index = (...manifests: object[]) =>
  parseManifest(encode({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }), null)
const image = (config: string, layers: string[], mediaType: string = mediaTypes.ociManifest, annotations = {}) =>
  parseManifest(
    encode({
      schemaVersion: 2,
      mediaType,
      config: descriptor(config),
      layers: layers.map((l) => descriptor(l)),
      annotations,
    }),
    mediaType,
  )

describe('parseManifest', () => {
  it('refuses a body that is an index and an image at once (CVE-2021-41190)', () => {
    const both = { schemaVersion: 2, manifests: [], config: descriptor('c'), layers: [] }
    expect(() => parseManifest(encode(both), null)).toThrow(/at once/)
  })
  it('refuses a Content-Type that says otherwise', () => {
    expect(() => parseManifest(encode({ schemaVersion: 2, manifests: [] }), mediaTypes.ociManifest)).toThrow(Fault)
    expect(parseManifest(encode({ schemaVersion: 2, manifests: [] }), `${mediaTypes.ociIndex}; x=y`).kind).toBe('index')
  })
  it('keeps annotations named like properties of objects as plain keys', () => {
    const bytes = new TextEncoder().encode(
      `{"schemaVersion":2,"manifests":[],"annotations":{"__proto__":"x","constructor":"y"}}`,
    )
    expect([...parseManifest(bytes, null).annotations]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })
  it('throws nothing but a Fault', () => {
    const almost = fc.dictionary(
      fc.constantFrom('schemaVersion', 'mediaType', 'manifests', 'config', 'layers', 'subject', 'annotations'),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom(1, 2, ...Object.values(mediaTypes), [], [descriptor('x')], descriptor('y')),
      ),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          almost.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          try {
            parseManifest(new TextEncoder().encode(text), null)
          } catch (error) {
            expect(error).toBeInstanceOf(Fault)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
  it('asks for all six media types', () => {
    expect(manifestAccept.split(', ')).toHaveLength(6)
  })
})

describe('compareManifests', () => {
  const [amd, arm] = [child('linux/amd64', 'amd'), child('linux/arm64', 'arm')]
  it.each([
    ['a platform more', index(amd), index(amd, arm), ['platform-added']],
    ['a platform less', index(amd, arm), index(arm), ['platform-removed']],
    ['another image of a platform', index(amd), index(child('linux/amd64', 'new')), ['content']],
    ['content and platform', index(amd), index(child('linux/amd64', 'new'), arm), ['content', 'platform-added']],
    ['only attestations', index(amd, attestation('1')), index(amd, attestation('2')), ['attestation-only']],
    ['an attestation added', index(amd), index(amd, attestation('2')), ['attestation-only']],
    ['only the order', index(amd, arm), index(arm, amd), ['rebuild']],
    ['other layers', image('c', ['l']), image('d', ['m']), ['content']],
    ['other configuration', image('c', ['l']), image('d', ['l']), ['config-only']],
    ['compressed anew', image('c', ['l']), image('c', ['m']), ['rebuild']],
    ['annotated anew', image('c', ['l']), image('c', ['l'], mediaTypes.ociManifest, { a: 'b' }), ['rebuild']],
    ['only the media type', image('c', ['l']), image('c', ['l'], mediaTypes.dockerManifest), ['media-type']],
    ['image to index', image('c', ['l']), index(amd), ['media-type', 'content']],
  ])('%s', (_, from, to, changes) => {
    expect(compareManifests(from, to)).toEqual(changes)
  })
})

describeWith({ shared: true }, 'manifests of every kind', ({ shared }) => {
  const folder = join(shared, 'data/manifests/containers-image')
  type Expected = Record<string, { kind?: string; children?: number; json?: boolean; sha256: string }>
  const expected = shared ? (JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected) : {}
  /** Not what a registry may serve: layers of size -1 (conversions on their way), a configuration without a digest. */
  const unfinished: Record<string, RegExp> = {
    'internal-schema1-to-oci1.json': /no valid size/,
    'internal-schema1-to-schema2.json': /no valid size/,
    'internal-ociv1.artifact.json': /neither an index nor an image/,
  }

  for (const name of shared ? readdirSync(folder) : []) {
    const facts = expected[name]
    if (facts === undefined || !['index', 'manifest'].includes(facts.kind ?? '')) continue
    it(name, () => {
      const bytes = readFileSync(join(folder, name))
      expect(digestOf(bytes)).toBe(`sha256:${facts.sha256}`)
      const fault = unfinished[name]
      if (fault !== undefined) {
        expect(() => parseManifest(bytes, null)).toThrow(fault)
        return
      }
      const manifest = parseManifest(bytes, null)
      expect(manifest.kind === 'index').toBe(facts.kind === 'index')
      if (manifest.kind === 'index') expect(manifest.children).toHaveLength(facts.children as number)
      // expected.json counts the configuration of an image among its children
      if (manifest.kind === 'image') expect(manifest.layers.length).toBe(facts.children)
    })
  }

  it('debian: every architecture is a platform, attestations are none', () => {
    const root = join(shared, 'data/manifests/debian-20241202')
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('index.json'))
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      const manifest = parseManifest(readFileSync(join(root, file)), null)
      if (manifest.kind === 'index') expect(manifest.children.some((entry) => !isAttestation(entry))).toBe(true)
    }
  })
})
