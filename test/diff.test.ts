import {
  chmodSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ImageDiff } from '../client/src/index.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { createCli } from './support/cli.js'
import { sourceOf } from './support/image-files.js'
import { describeWith } from './support/needs.js'

describe('tidemark diff', () => {
  it('of two images on a registry says what changed, and costs no registry request the second time', async () => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const tag = `${registry.address}/library/alpine:3.10`
    const before = registry.content.find('library/alpine')?.tags.get('3.10')
    const after = registry.move('library/alpine:3.10')
    const repository = `${registry.address}/library/alpine`
    const args = ['diff', `${repository}@${before}`, `${repository}@${after}`, '--platform', 'linux/amd64']
    const body = (await cli.json(...args)) as ImageDiff
    // The package lists of the real releases 3.10.3 and 3.10.4: data/expected/diffs has the same four.
    expect(body.packages.changed.map(({ name, from, to, direction }) => `${name} ${from} ${direction} ${to}`)).toEqual([
      'busybox 1.30.1-r2 up 1.30.1-r3',
      'libcrypto1.1 1.1.1d-r0 up 1.1.1d-r2',
      'libssl1.1 1.1.1d-r0 up 1.1.1d-r2',
      'ssl_client 1.30.1-r2 up 1.30.1-r3',
    ])
    expect(body).toMatchObject({ complete: true, config: {}, platforms: { added: [], removed: [] }, warnings: [] })
    expect(body.packages.changed[0]?.toPurl).toBe('pkg:apk/alpine/busybox@1.30.1-r3?arch=x86_64&distro=alpine-3.10.4')
    registry.requests.clear()
    expect(await cli.json(...args)).toEqual({ ...body, bytesFetched: 0 })
    expect(registry.requests.count()).toBe(0)
    await cli.json('diff', tag, `${registry.address}/demo/app:1.0`, '--platform', 'linux/amd64')
    registry.requests.clear()
    await cli.json('diff', tag, `${registry.address}/demo/app:1.0`, '--platform', 'linux/amd64')
    expect(registry.requests.counts()).toEqual({ 'HEAD manifest': 2 })
    expect((await cli.run(...args, '--exit-code')).code).toBe(1)
    expect((await cli.run('diff', tag, tag, '--platform', 'linux/amd64', '--exit-code')).code).toBe(0)
    await registry.close()
  })

  it('has the forms of the Image Diff API and of a pull request', async () => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const repository = `${registry.address}/library/alpine`
    const before = registry.content.find('library/alpine')?.tags.get('3.10')
    const after = registry.move('library/alpine:3.10')
    const diff = async (form: string) =>
      (await cli.run('diff', `${repository}@${before}`, `${repository}@${after}`, '-o', form)).stdout
    const body = JSON.parse(await diff('chainguard'))
    expect(Object.keys(body)).toEqual(['packages', 'vulnerabilities', 'config', 'warnings'])
    expect(body.packages.added).toEqual([])
    expect(body.packages.changed[0]).toEqual({
      name: 'busybox',
      current: { version: '1.30.1-r3', reference: expect.stringMatching(/^pkg:apk\/alpine\/busybox@1\.30\.1-r3/) },
      previous: { version: '1.30.1-r2', reference: expect.stringMatching(/^pkg:apk\/alpine\/busybox@1\.30\.1-r2/) },
    })
    expect(body.vulnerabilities).toEqual({ added: [], removed: [], metadata: [] })
    const markdown = await diff('markdown')
    expect(markdown).toMatch(/^<!-- tidemark-diff -->\n\*\*4 packages changed \(4 up\)/)
    expect(markdown).toContain('| `busybox` | `1.30.1-r2` | `1.30.1-r3` | `apk` |')
    expect(await diff('markdown')).toBe(markdown)
    await registry.close()
  })

  it('compares every file where it is asked to', async () => {
    const [before, after] = [mkdtempSync(join(tmpdir(), 'tidemark-a-')), mkdtempSync(join(tmpdir(), 'tidemark-b-'))]
    const put = (root: string, name: string, content: string, seconds = 1000) => {
      mkdirSync(join(root, dirname(name)), { recursive: true })
      writeFileSync(join(root, name), content)
      utimesSync(join(root, name), seconds, seconds)
    }
    for (const root of [before, after]) {
      put(root, 'etc/same', 'a')
      put(root, 'etc/touched', 'a', root === before ? 1000 : 2000)
      put(root, 'etc/edited', root === before ? 'a' : 'b')
      put(root, 'etc/opened', 'a')
      symlinkSync(root === before ? 'same' : 'edited', join(root, 'etc/link'))
      lutimesSync(join(root, 'etc/link'), 1000, 1000)
      put(root, root === before ? 'old/file' : 'new/file', 'a')
    }
    chmodSync(join(after, 'etc/opened'), 0o777)
    for (const root of [before, after]) for (const name of ['etc', '']) utimesSync(join(root, name), 1000, 1000)
    const cli = createCli()
    const body = (await cli.json('diff', `dir:${before}`, `dir:${after}`, '--files')) as ImageDiff
    expect(body.files).toEqual({
      added: ['new', 'new/file'],
      removed: ['old', 'old/file'],
      changed: [
        { path: 'etc/edited', changes: ['content'] },
        { path: 'etc/link', changes: ['link'] },
        { path: 'etc/opened', changes: ['mode'] },
      ],
      timeOnly: 1,
      unknown: 0,
    })
    expect((await cli.json('diff', `dir:${before}`, `dir:${after}`)) as ImageDiff).toMatchObject({ files: null })
    expect((await cli.run('diff', `dir:${before}`, `dir:${after}`, '--files')).stdout).toContain(
      'files: 3 changed, 2 added, 2 removed, 1 in time only',
    )
  })

  it('compares the files of images from their layers, once read with their contents', async () => {
    const registry = await startTestRegistry()
    const cli = createCli()
    const repository = `${registry.address}/library/alpine`
    const before = registry.content.find('library/alpine')?.tags.get('3.10')
    const after = registry.move('library/alpine:3.10')
    const args = ['diff', `${repository}@${before}`, `${repository}@${after}`, '--platform', 'linux/amd64']
    await cli.json(...args)
    const { files } = (await cli.json(...args, '--files')) as ImageDiff
    expect(files).toMatchObject({ added: [], removed: [], unknown: 0 })
    expect(files?.changed).toContainEqual({ path: 'lib/apk/db/installed', changes: ['content'] })
    registry.requests.clear()
    expect(((await cli.json(...args, '--files')) as ImageDiff).files).toEqual(files)
    expect(registry.requests.count()).toBe(0)
    await registry.close()
  })

  it('of one tag alone is since its last move', async () => {
    expect(await createCli().run('diff', 'ghcr.io/org/app:1')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no history of ghcr\.io\/org\/app:1.*watch add/),
    })
    expect(await createCli().run('diff', 'dir:/tmp')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Name both/),
    })
  })
})

interface ExpectedDiff {
  readonly packages: {
    readonly added: readonly { name: string; version: string }[]
    readonly removed: readonly { name: string; version: string }[]
    readonly changed: readonly { name: string; from: string; to: string }[]
  }
  readonly from: string
  readonly to: string
}

describeWith({ shared: true }, 'diffs of real images', ({ shared }) => {
  const folder = join(shared, 'data/expected/diffs')
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^(?:alpine|nginx)-/.test(name)) : []
  it.each(names)('%s', async (name) => {
    const expected = JSON.parse(readFileSync(join(folder, name), 'utf8')) as ExpectedDiff
    const path = (file: string) => sourceOf(join(shared, 'data', file.includes('/') ? file : `images/${file}`))
    const cli = createCli()
    const body = (await cli.json(
      'diff',
      path(expected.from),
      path(expected.to),
      '--platform',
      'linux/amd64',
    )) as ImageDiff
    const plain = (list: ImageDiff['packages']['added']) =>
      list.map(({ name: named, version }) => `${named} ${version}`).sort()
    expect(plain(body.packages.added)).toEqual(expected.packages.added.map((p) => `${p.name} ${p.version}`).sort())
    expect(plain(body.packages.removed)).toEqual(expected.packages.removed.map((p) => `${p.name} ${p.version}`).sort())
    expect(body.packages.changed.map((p) => `${p.name} ${p.from} ${p.to}`).sort()).toEqual(
      expected.packages.changed.map((p) => `${p.name} ${p.from} ${p.to}`).sort(),
    )
  })
})
