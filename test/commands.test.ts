import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CheckReport, DigestResult, TagList } from '../client/src/index.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { version } from '../src/version.js'
import { createCli } from './support/cli.js'

let registry: TestRegistry
const tag = () => `${registry.address}/library/alpine:3.10`

beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(async () => {
  await registry.close()
})

const served = (name: string, reference: string) => registry.content.find(name)?.tags.get(reference) as string

describe('digest', () => {
  it('prints what the tag points at, and what a platform of it does, with one HEAD for the first', async () => {
    const cli = createCli()
    const { stdout, code } = await cli.run('digest', tag())
    expect([stdout, code]).toEqual([`${served('library/alpine', '3.10')}\n`, 0])
    registry.requests.clear()
    await cli.run('digest', tag())
    expect(registry.requests.counts()).toMatchObject({ 'HEAD manifest': 1 })
    expect(registry.requests.latest().filter(({ method }) => method === 'GET')).toEqual([])
    const body = (await cli.json('digest', tag())) as DigestResult
    expect(body).toMatchObject({
      reference: tag(),
      digest: served('library/alpine', '3.10'),
      mediaType: 'application/vnd.oci.image.index.v1+json',
    })
    const arm = body.platforms.find(({ platform }) => platform === 'linux/arm64')?.digest
    expect(arm).toMatch(/^sha256:/)
    expect((await cli.run('digest', tag(), '--platform', 'linux/arm64/v8')).stdout).toBe(`${arm}\n`)
  })

  it.each([
    [
      'a platform that is not there',
      ['--platform', 'linux/s390x'],
      2,
      /has nothing for linux\/s390x.*linux\/amd64, linux\/arm64/,
    ],
    ['a platform that is none', ['--platform', 'linux'], 2, /not a platform: 'linux'.*linux\/amd64/],
  ])('refuses %s', async (_, options, code, message) => {
    const result = await createCli().run('digest', tag(), ...options)
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) })
  })
})

describe('check', () => {
  it('tells new, same, moved and absent, and ends with 0, 10 and 20 as it says', async () => {
    const own = await startTestRegistry()
    const cli = createCli()
    const moving = `${own.address}/library/alpine:3.10`
    const never = `${own.address}/library/alpine:never`
    const check = async (...args: string[]) => {
      const { code } = await cli.run('check', ...args)
      const { results } = (await cli.json('check', ...args)) as CheckReport
      return { code, statuses: results.map(({ status, reason }) => `${status}${reason ? ` ${reason}` : ''}`) }
    }
    const first = await cli.run('check', moving, '-o', 'json')
    expect(first.code).toBe(0)
    expect(JSON.parse(first.stdout)).toEqual({
      results: [
        {
          reference: moving,
          digest: own.content.find('library/alpine')?.tags.get('3.10'),
          previousDigest: null,
          status: 'new',
          reason: null,
          checkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      ],
    })
    expect(await check(moving)).toEqual({ code: 0, statuses: ['same'] })
    const before = own.content.find('library/alpine')?.tags.get('3.10') as string
    own.move('library/alpine:3.10')
    expect((await cli.run('check', moving, '--since', before)).code).toBe(10)
    const moved = await cli.run('check', moving)
    expect(moved).toMatchObject({ code: 10, stdout: expect.stringContaining('moved') })
    // Twenty wins: a tag that was never there cannot be told from one that is hidden.
    own.move('library/alpine:3.10')
    expect((await cli.run('check', moving, never)).code).toBe(20)
    expect(await check(never)).toEqual({ code: 20, statuses: ['absent not-found'] })
    own.content.find('library/alpine')?.tags.delete('3.10')
    expect(await check(moving)).toEqual({ code: 10, statuses: ['absent not-found'] })
    await own.close()
    const gone = await cli.run('check', moving)
    expect(gone).toMatchObject({ code: 20, stderr: expect.stringMatching(/^warning: .*refuses connections/) })
    expect(await check(moving)).toEqual({ code: 20, statuses: ['unknown unreachable'] })
  })

  it('refuses to compare with the digest of a config, which no tag ever points at', async () => {
    const cli = createCli()
    const { manifests, blobs } = registry.content.repository('library/alpine')
    const child = [...manifests.values()].find(({ mediaType }) => mediaType.includes('manifest'))
    const { config } = JSON.parse(Buffer.from(child?.bytes ?? []).toString())
    const refused = await cli.run('check', tag(), '--since', config.digest)
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/no manifest .* a config/) })
    // What is served as a blob too, or is not known any more, may have been what the tag pointed at.
    blobs.set(child?.digest as never, child?.bytes as never)
    for (const since of [child?.digest as string, `sha256:${'a'.repeat(64)}`]) {
      expect((await cli.run('check', tag(), '--since', since)).code).toBe(10)
    }
    blobs.delete(child?.digest as never)
  })

  it('reads references from a file, asks each once, and refuses what cannot be checked', async () => {
    const cli = createCli()
    const list = join(cli.home, 'images.txt')
    writeFileSync(list, `# ours\n${tag()}  # the base\n\n${tag()}\n`)
    registry.requests.clear()
    const { results } = (await cli.json('check', '-f', list)) as CheckReport
    expect(results.map(({ reference }) => reference)).toEqual([tag(), tag()])
    expect(registry.requests.counts()['HEAD manifest']).toBe(1)
    for (const wrong of [`${tag()}@{1}`, `${tag()}@sha256:${'a'.repeat(64)}`, 'UPPER/x']) {
      expect(await cli.run('check', wrong)).toMatchObject({ code: 2, stdout: '' })
    }
    expect(await cli.run('check', '-f', join(cli.home, 'none.txt'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is not there'),
    })
  })

  it('loses nothing when two checks write at once, and keeps a damaged file aside', async () => {
    const cli = createCli()
    const tags = ['library/alpine:3.10', 'demo/app:1.0'].map((name) => `${registry.address}/${name}`)
    await Promise.all(tags.map((name) => cli.run('check', name)))
    const { results } = (await cli.json('check', ...tags)) as CheckReport
    expect(results.map(({ status }) => status)).toEqual(['same', 'same'])
    const file = join(cli.environment.TIDEMARK_HOME as string, 'check.json')
    writeFileSync(file, '{"version":1,"digests":{"x"')
    const damaged = await cli.run('check', tags[0] as string)
    expect(damaged).toMatchObject({ code: 3, stderr: expect.stringMatching(/^error: .*damaged/) })
    const aside = readdirSync(cli.environment.TIDEMARK_HOME as string).filter((name) => name.startsWith('check.json.'))
    expect(aside).toHaveLength(1)
    expect(readFileSync(join(cli.environment.TIDEMARK_HOME as string, aside[0] as string), 'utf8')).toContain('{"x"')
  })
})

describe('a state file', () => {
  it('that is no regular file is refused and stays where it is', async () => {
    const cli = createCli()
    for (const device of ['/dev/null', '/dev/full', cli.home]) {
      const refused = await cli.run('check', tag(), '--store', `file:${device}`)
      expect(refused).toMatchObject({
        code: 20,
        stdout: expect.stringContaining('store'),
        stderr: expect.stringMatching(/no regular file/),
      })
      expect(existsSync(device)).toBe(true)
    }
    const nowhere = await cli.run('check', tag(), '--store', 'file:/proc/nowhere/check.json')
    expect([nowhere.code, nowhere.stdout]).toEqual([20, expect.stringContaining('store')])
  })
})

describe('tags', () => {
  it('lists one a line, and leaves digest tags out when told to', async () => {
    const own = await startTestRegistry({ script: { pageSize: 1 } })
    const cli = createCli()
    const tags = own.content.repository('library/alpine').tags
    tags.set(`sha256-${'a'.repeat(64)}.sig`, tags.get('3.10') as never)
    const { stdout } = await cli.run('tags', `${own.address}/library/alpine`)
    expect(stdout).toBe(`3.10\nsha256-${'a'.repeat(64)}.sig\n`)
    const body = (await cli.json('tags', `${own.address}/library/alpine`, '--omit-digest-tags')) as TagList
    expect(body).toEqual({ repository: `${own.address}/library/alpine`, tags: ['3.10'] })
    expect(await cli.run('tags', `${own.address}/none`)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: .*Check the spelling/),
    })
    await own.close()
  })
})

describe('errors', () => {
  it.each([
    ['an unknown command', ['nonsense'], 2, /unknown command 'nonsense'/],
    [
      'an unknown option',
      ['digest', 'nginx', '--nonsense'],
      2,
      /unknown option '--nonsense'[\s\S]*tidemark digest --help/,
    ],
    ['an option with control characters', ['digest', '--x\u001b[31m'], 2, /^error: unknown option '--x \[31m'\n/],
    ['a missing argument', ['digest'], 2, /missing required argument 'reference'/],
    ['a form that is none', ['tags', 'nginx', '-o', 'xml'], 2, /Allowed choices are table, json/],
    ['a reference that is none', ['digest', 'nginx:'], 2, /^error: not a reference.*Write it as/],
    [
      'a server with a password',
      ['history', 'nginx', '--server', 'http://u:hidden@127.0.0.1:1'],
      2,
      /^(?!.*hidden).*holds no user/,
    ],
    ['a server that is none', ['history', 'nginx', '--server', 'nonsense'], 2, /not the URL of a server/],
    ['a closed port', ['digest', '127.0.0.1:1/a'], 3, /^error: 127\.0\.0\.1:1 refuses connections.*Check the host/],
    ['a database of an unknown kind', ['watch', 'list', '--database', 'mysql://x'], 2, /sqlite:PATH or postgres/],
  ])('of %s are one line with the way out', async (_, args, code, message) => {
    const result = await createCli().run(...args)
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) })
    expect(result.stderr).not.toMatch(/\n\s+at /)
    expect(result.stderr).not.toContain('\u001b')
  })

  it('of a configuration name file, line and key', async () => {
    const cli = createCli()
    const config = join(cli.home, 'tidemark.yaml')
    writeFileSync(config, 'every: 5m\nregistries:\n  ghcr.io:\n    plainHtpp: true\n')
    expect(await cli.run('watch', 'list', '--config', config)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${config}:4: registries.ghcr.io.plainHtpp: unknown key`),
    })
    mkdirSync(join(cli.home, 'folder'))
    expect(await cli.run('watch', 'list', '--config', join(cli.home, 'folder'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is a folder'),
    })
    // A configuration that was named must be there.
    expect((await cli.run('watch', 'list', '--config', join(cli.home, 'none.yaml'))).code).toBe(2)
  })

  it('never reads a configuration of the current folder', async () => {
    const cli = createCli()
    const here = process.cwd()
    writeFileSync(join(cli.home, 'tidemark.yaml'), 'nonsense: true\n')
    process.chdir(cli.home)
    try {
      expect((await cli.run('watch', 'list')).code).toBe(0)
    } finally {
      process.chdir(here)
    }
  })
})

describe('help', () => {
  it('is there for every command, with examples, and on stdout', async () => {
    const cli = createCli()
    const { stdout, code } = await cli.run('--help')
    expect(code).toBe(0)
    for (const name of ['digest', 'tags', 'check', 'watch', 'history', 'serve', 'deliveries', 'registry']) {
      expect(stdout).toContain(`\n  ${name} `)
      expect((await cli.run(name, '--help')).stdout).toMatch(/^Usage: tidemark /)
    }
    for (const args of [
      ['digest'],
      ['tags'],
      ['check'],
      ['doctor'],
      ['watch', 'add'],
      ['history'],
      ['serve'],
      ['registry', 'serve'],
    ]) {
      expect((await cli.run(...args, '--help')).stdout).toContain('Examples:')
    }
    const trouble = /Exit codes:[\s\S]*\b3 +the\s(registry,\sthe\snetwork\sor\sthe\s)?disk\sfailed/
    for (const name of ['digest', 'packages', 'scan', 'diff', 'explain', 'check']) {
      expect((await cli.run(name, '--help')).stdout).toMatch(trouble)
    }
    expect((await cli.run('version')).stdout).toBe(`tidemark ${version}\n`)
    expect(JSON.parse(readFileSync('package.json', 'utf8')).version).toBe(version)
  })
})
