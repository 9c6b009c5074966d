import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { PackageList } from '../client/src/index.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { sourceOf } from './support/image-files.js'
import { describeWith } from './support/needs.js'

interface ExpectedImage {
  readonly os?: { readonly ID: string; readonly VERSION_ID?: string }
  readonly manifest?: string
  readonly packageList?: Readonly<
    Record<
      string,
      readonly {
        name: string
        version: string
        arch: string
        origin?: string
        source?: string
        sourceVersion?: string
      }[]
    >
  >
}

const osTypes: Readonly<Record<string, string>> = { apk: 'apk', dpkg: 'deb', 'dpkg-status.d': 'deb', rpm: 'rpm' }

describeWith({ shared: true }, 'packages of real images', ({ shared }) => {
  const file = join(shared, 'data/expected/images.json')
  const expected: Record<string, ExpectedImage | ExpectedImage[]> = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : {}
  const images = Object.entries(expected).flatMap(([name, found]) =>
    [found].flat().flatMap((image) => (image.packageList === undefined ? [] : [[name, image] as const])),
  )

  it.each(images)('%s', async (file, image) => {
    const cli = createCli()
    const path = join(shared, 'data', file)
    const { code, stdout, stderr } = await cli.run('packages', sourceOf(path), ...platformOf(file), '-o', 'json')
    expect([code, stderr.replace(/^warning:.*\n/gm, '')]).toEqual([0, ''])
    const body = JSON.parse(stdout) as PackageList
    expect(body.distribution?.id).toBe(image.os?.ID)
    expect(body.distribution?.versionId ?? undefined).toBe(image.os?.VERSION_ID)
    for (const [kind, list] of Object.entries(image.packageList ?? {})) {
      const found = body.packages.filter(({ type }) => type === osTypes[kind])
      const lines = (entries: readonly string[]) => [...entries].sort()
      expect(lines(found.map(({ name, version, architecture }) => `${name} ${version} ${architecture}`))).toEqual(
        lines(list.map(({ name, version, arch }) => `${name} ${version} ${arch}`)),
      )
      for (const { name, source, version } of found) {
        const wanted = list.find((entry) => entry.name === name && entry.version === version)
        const wantedSource = wanted?.source ?? wanted?.origin
        if (wantedSource !== undefined) expect([name, source?.name]).toEqual([name, wantedSource])
        if (wanted?.sourceVersion !== undefined) expect([name, source?.version]).toEqual([name, wanted.sourceVersion])
      }
      for (const { purl, evidence } of found) expect(purl + evidence).toMatch(/^pkg:(apk|deb|rpm)\/.*[a-z]/)
    }
  })
})

function platformOf(file: string): string[] {
  return ['--platform', file.includes('arm64') ? 'linux/arm64' : 'linux/amd64']
}

describeWith({}, 'packages of an image on a registry', () => {
  it('are read once: what was fetched is not fetched again, by tag, by digest or in another image', async () => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const tag = `${registry.address}/library/alpine:3.10`
    const list = async (source: string) =>
      (await cli.json('packages', source, '--platform', 'linux/amd64')) as PackageList
    const first = await list(tag)
    expect(first.packages.map(({ name, version }) => `${name} ${version}`)).toContain('busybox 1.30.1-r2')
    expect(first.distribution).toMatchObject({ id: 'alpine', versionId: '3.10.3' })
    expect(first.complete).toBe(true)
    expect(registry.requests.counts()).toMatchObject({ 'HEAD manifest': 1, 'GET manifest': 2, 'GET blob': 2 })
    registry.requests.clear()
    const again = await list(tag)
    expect(again).toEqual({ ...first, bytesFetched: 0 })
    expect(registry.requests.counts()).toEqual({ 'HEAD manifest': 1 })
    registry.requests.clear()
    const repository = `${registry.address}/library/alpine`
    await list(`${repository}@${first.image.digest}`)
    expect(registry.requests.count()).toBe(0)
    // An application on the same base costs its own layer, manifests and configuration.
    const app = await list(`${registry.address}/demo/app:1.0`)
    expect(app.packages).toHaveLength(first.packages.length)
    expect(registry.requests.counts()).toMatchObject({ 'GET manifest': 2, 'GET blob': 2 })
    await registry.close()
  })

  it('are refused where there is no such platform, and where the bytes are not what the manifest says', async () => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const tag = `${registry.address}/library/alpine:3.10`
    expect(await cli.run('packages', tag, '--platform', 'linux/s390x')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/linux\/amd64, linux\/arm64/),
    })
    registry.setScript({ rules: [{ when: { path: '*/blobs/*' }, skip: 1, do: { corrupt: true } }] })
    expect(await cli.run('packages', tag, '--platform', 'linux/amd64')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^error: layer sha256:/),
    })
    expect((await cli.run('packages', 'dir:/nowhere')).code).toBe(2)
    await registry.close()
  })
})

describeWith({}, 'an SBOM that we wrote', () => {
  it.each(['spdx', 'cyclonedx'])('gives the same packages when it is read again (%s)', async (form) => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const tag = `${registry.address}/library/alpine:3.10`
    const first = (await cli.json('packages', tag, '--platform', 'linux/amd64')) as PackageList
    const { stdout } = await cli.run('packages', tag, '--platform', 'linux/amd64', '-o', form)
    const file = join(cli.home, `image.${form}.json`)
    writeFileSync(file, stdout)
    const again = (await cli.json('packages', `sbom:${file}`)) as PackageList
    expect(again.packages.map(({ purl }) => purl)).toEqual(first.packages.map(({ purl }) => purl))
    expect(again.evidence).toBe('sbom')
    const { code } = await cli.run('diff', `sbom:${file}`, `sbom:${file}`, '--exit-code')
    expect(code).toBe(0)
    await registry.close()
  })
})
