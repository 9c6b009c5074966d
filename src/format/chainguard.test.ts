import { describe, expect, it } from 'vitest'
import { everyFinding, findingOf } from '../../test/support/findings.js'
import { imageDiff, packageOf } from '../../test/support/image-diffs.js'
import { digestOf } from '../core/digest.js'
import { version } from '../version.js'
import { chainguard, toChainguardDiff } from './chainguard.js'

const bash = packageOf('apk', 'bash', '5.2.21-r0', { purl: 'pkg:apk/wolfi/bash@5.2.21-r0?arch=x86_64' })

const unchanged = {
  changed: {
    ...{ changedUser: null, changedWorkingDir: null, changedStopSignal: null },
    ...{ entrypoints: { added: [], removed: [] }, envs: { added: [], removed: [] }, cmds: { added: [], removed: [] } },
    volumes: { added: {}, removed: {} },
  },
}

describe('chainguard', () => {
  it('is the body that the API documents', () => {
    // The values of the API's own documentation: the second image is `current`.
    const diff = imageDiff({
      packages: {
        added: [bash],
        removed: [],
        changed: [
          {
            type: 'apk',
            name: 'nginx',
            from: '1.25.3-r2',
            to: '1.25.4-r0',
            direction: 'up',
            fromPurl: 'pkg:apk/wolfi/nginx@1.25.3-r2?arch=x86_64',
            toPurl: 'pkg:apk/wolfi/nginx@1.25.4-r0?arch=x86_64',
          },
        ],
      },
    })
    expect(JSON.parse(chainguard.write(diff))).toEqual({
      packages: {
        added: [{ name: 'bash', version: '5.2.21-r0', reference: 'pkg:apk/wolfi/bash@5.2.21-r0?arch=x86_64' }],
        removed: [],
        changed: [
          {
            name: 'nginx',
            current: { version: '1.25.4-r0', reference: 'pkg:apk/wolfi/nginx@1.25.4-r0?arch=x86_64' },
            previous: { version: '1.25.3-r2', reference: 'pkg:apk/wolfi/nginx@1.25.3-r2?arch=x86_64' },
          },
        ],
      },
      vulnerabilities: { added: [], removed: [], metadata: [] },
      config: unchanged,
      warnings: ['vulnerabilities were not compared: there is no advisory data'],
    })
  })

  it('has every list when nothing differs', () => {
    expect(toChainguardDiff(imageDiff())).toEqual({
      packages: { added: [], removed: [], changed: [] },
      vulnerabilities: { added: [], removed: [], metadata: [] },
      config: unchanged,
      warnings: ['vulnerabilities were not compared: there is no advisory data'],
    })
  })

  it('names each vulnerability once, by its CVE where the distribution only restates it', () => {
    const cause = { kind: 'other', reason: '' } as const
    const all = everyFinding().map((one) => ({ ...one, cause }))
    const image = { reference: 'example.com/a:1', platform: 'linux/amd64' }
    const { vulnerabilities, warnings } = toChainguardDiff(
      imageDiff({
        from: { ...image, digest: digestOf('from') },
        to: { ...image, digest: digestOf('to') },
        snapshot: { id: 'sha256:0', builtAt: '2026-11-25T00:00:00.000Z', sources: ['osv'] },
        vulnerabilities: {
          complete: true,
          introduced: all.toReversed(),
          fixed: [],
          unchanged: [findingOf('CVE-1', 'pkg:npm/a@1')],
        },
      }),
    )
    const reference = 'debian:distro:debian:12'
    expect(vulnerabilities.added).toEqual([
      { id: 'CVE-2026-1001', reference, severity: 'Critical' },
      { id: 'CVE-2026-4', reference, severity: 'Low' },
      { id: 'CVE-2026-5', reference, severity: 'Unknown' },
      { id: 'CVE-2026-6', reference, severity: 'Negligible' },
      { id: 'DSA-1-1', reference, severity: 'Medium' },
    ])
    expect(vulnerabilities.removed).toEqual([])
    const scan = {
      scanner: { name: 'tidemark', version: `v${version}` },
      vulnerabilityDbLastBuildTime: '2026-11-25T00:00:00.000Z',
      vulnerabilityDbSchemaVersion: '1',
    }
    expect(vulnerabilities.metadata).toEqual([
      { digest: digestOf('from'), ...scan },
      { digest: digestOf('to'), ...scan },
    ])
    expect(warnings).toEqual([])
  })

  it('has the configuration as the API had it', () => {
    const config = {
      user: { from: 'root', to: '65532' },
      entrypoint: { from: ['/bin/sh', '-c'], to: ['/usr/bin/app'] },
      cmd: { from: ['a', 'b'], to: ['b', 'a'] },
      env: {
        added: [{ name: 'NEW', value: '1' }],
        removed: [{ name: 'OLD', value: '' }],
        changed: [{ name: 'PATH', from: '/bin', to: '/usr/bin' }],
      },
      labels: { added: [{ name: 'a', value: 'b' }], removed: [], changed: [] },
      volumes: { added: ['/data'], removed: ['__proto__'] },
    }
    expect(toChainguardDiff(imageDiff({ config })).config).toEqual({
      changed: {
        ...unchanged.changed,
        changedUser: { current: '65532', previous: 'root' },
        entrypoints: { added: ['/usr/bin/app'], removed: ['/bin/sh', '-c'] },
        cmds: { added: ['b', 'a'], removed: ['a', 'b'] },
        envs: { added: ['NEW=1', 'PATH=/usr/bin'], removed: ['OLD=', 'PATH=/bin'] },
        volumes: { added: { '/data': {} }, removed: Object.fromEntries([['__proto__', {}]]) },
      },
    })
    expect(toChainguardDiff(imageDiff({ config: null })).config).toBeNull()
  })

  it('sorts by name, whatever the type', () => {
    const added = [packageOf('apk', 'zlib', '1'), packageOf('npm', 'b', '2.0.0'), packageOf('npm', 'b', '1.0.0')]
    const { packages } = toChainguardDiff(imageDiff({ packages: { added, removed: added, changed: [] } }))
    expect(packages.added.map(({ name, version }) => `${name} ${version}`)).toEqual(['b 1.0.0', 'b 2.0.0', 'zlib 1'])
    expect(packages.removed).toEqual(packages.added)
  })

  it('cuts warnings and their list, and is never silent about what is missing', () => {
    const many = Array.from({ length: 150 }, (_, index) => `${index} ${'x'.repeat(400)}\n`)
    const { warnings } = toChainguardDiff(imageDiff({ warnings: many }))
    expect(warnings).toHaveLength(100)
    expect(Math.max(...warnings.map(({ length }) => length))).toBe(256)
    expect(warnings.at(-1)).toBe('52 more warnings')
    expect(toChainguardDiff(imageDiff({ complete: false })).warnings).toHaveLength(2)
  })
})
