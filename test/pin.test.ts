import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PinReport } from '../client/src/index.js'
import { digestOf } from '../src/core/digest.js'
import { parseManifest } from '../src/core/manifest.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli, type TestCli } from './support/cli.js'

let registry: TestRegistry
let cli: TestCli
let folder: string
const tag = () => `${registry.address}/library/alpine:3.10`
const now = () => registry.content.find('library/alpine')?.tags.get('3.10') as string
const old = digestOf('old')
const write = (name: string, text: string | Buffer) => {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const pin = (...args: string[]) => cli.run('pin', ...args)
const report = async (...args: string[]) => (await cli.json('pin', ...args)) as PinReport

beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(() => registry.close())
beforeEach(() => {
  cli = createCli()
  folder = mkdtempSync(join(tmpdir(), 'tidemark-pin-'))
  registry.requests.clear()
})
afterEach(() => {
  registry.setScript({})
  rmSync(folder, { recursive: true })
})

describe('pin', () => {
  it('writes what is missing, leaves pins alone, and asks each tag once', async () => {
    const file = write('Dockerfile', `FROM ${tag()} AS a\nFROM ${tag()}\nFROM ${tag()}@${old}\nFROM a\nFROM scratch\n`)
    const { code, stdout, stderr } = await pin(file)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`pinned  ${file}:1`)
    expect(read('Dockerfile')).toBe(
      `FROM ${tag()}@${now()} AS a\nFROM ${tag()}@${now()}\nFROM ${tag()}@${old}\nFROM a\nFROM scratch\n`,
    )
    expect(registry.requests.counts()).toEqual(expect.objectContaining({ 'HEAD manifest': 1 }))
    expect((await pin(file)).stdout).toBe('nothing to do: 3 images are pinned\n')
    expect(registry.requests.counts()).toEqual(expect.objectContaining({ 'HEAD manifest': 1 }))
  })

  it('moves pins with --update, and drops tags with --drop-tag', async () => {
    const file = write(
      'Dockerfile',
      `FROM ${tag()}@${old}\nFROM ${tag()}@${now()}\nFROM ${registry.address}/x@${old}\n`,
    )
    const { updates, pinned, problems } = await report(file, '--update')
    expect(updates).toEqual([{ file, line: 1, image: tag(), digest: old, updated_digest: now() }])
    expect(pinned.map(({ line, digest }) => [line, digest])).toEqual([
      [2, now()],
      [3, old],
    ])
    expect(problems).toEqual([])
    const other = write('b.Dockerfile', `FROM ${tag()}\n`)
    await pin(other, '--drop-tag')
    expect(read('b.Dockerfile')).toBe(`FROM ${registry.address}/library/alpine@${now()}\n`)
  })

  it('writes nothing with --check and --diff, and --check ends with 1', async () => {
    const text = `FROM ${tag()}\r\n# é\r\nFROM ${tag()}@${old}`
    const file = write('Dockerfile', text)
    const checked = await pin(file, '--check')
    expect([checked.code, checked.stdout]).toEqual([1, expect.stringMatching(/missing .*:1[\s\S]*behind .*:3/)])
    const { code, stdout } = await pin(file, '--update', '--diff')
    expect([code, read('Dockerfile')]).toEqual([0, text])
    execFileSync('git', ['apply', '-p1', '--unsafe-paths', `--directory=${folder}`, '-'], {
      cwd: folder,
      input: stdout.replaceAll(file.slice(1), 'Dockerfile'),
    })
    expect(read('Dockerfile')).toBe(`FROM ${tag()}@${now()}\r\n# é\r\nFROM ${tag()}@${now()}`)
    expect((await pin(file, '--check')).code).toBe(0)
  })

  it('names what cannot be pinned, ends with 2, and writes the rest', async () => {
    const file = write(
      'Dockerfile',
      `ARG X\nFROM ${tag()} AS a\nFROM ${registry.address}/library/alpine:none\nFROM $X/y\nFROM UPPER/Case\nFROM 127.0.0.1:1/x\n`,
    )
    const { code, stderr } = await pin(file)
    expect(code).toBe(2)
    expect(read('Dockerfile')).toContain(`FROM ${tag()}@${now()} AS a\n`)
    const warnings = stderr.trim().split('\n')
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: .*Dockerfile:3: .*alpine:none: there is no /),
      expect.stringMatching(/^warning: .*Dockerfile:4: \$X\/y: ARG X has no default/),
      expect.stringMatching(/^warning: .*Dockerfile:5: UPPER\/Case: not a reference/),
      expect.stringMatching(/^warning: .*Dockerfile:6: .*refuses connections/),
    ])
    const { problems } = await report(file, '--check')
    expect(problems.map((problem) => problem.code)).toEqual([
      'tag-not-found',
      'open',
      'invalid-reference',
      'unreachable',
    ])
    expect((await pin(file, '--check')).code).toBe(2)
  })

  it('says which value of an ARG a pin is for', async () => {
    const file = write('Dockerfile', `ARG V=3.10\nFROM ${registry.address}/library/alpine:$V\n`)
    const { code, stderr } = await pin(file)
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Dockerfile:2: pinned for V=3.10; another value/)])
    expect(read('Dockerfile')).toBe(`ARG V=3.10\nFROM ${registry.address}/library/alpine:$V@${now()}\n`)
  })

  it('keeps the platform of a pin that is one platform', async () => {
    const content = registry.content.repository('library/alpine')
    const index = content.manifests.get(now() as never)
    const children = parseManifest(index?.bytes ?? new Uint8Array(), index?.mediaType ?? null)
    if (children.kind !== 'index') throw new Error('the sample is an index')
    const armOf = (digest: string) => {
      const manifest = content.manifests.get(digest as never)
      const parsed = parseManifest(manifest?.bytes ?? new Uint8Array(), manifest?.mediaType ?? null)
      return (
        parsed.kind === 'index' && parsed.children.find(({ platform }) => platform?.architecture === 'arm64')?.digest
      )
    }
    const before = armOf(now())
    registry.move('library/alpine:3.10')
    const file = write('Dockerfile', `FROM ${tag()}@${before}\n`)
    await pin(file, '--update')
    expect(armOf(now())).not.toBe(before)
    expect(read('Dockerfile')).toBe(`FROM ${tag()}@${armOf(now())}\n`)
  })
})

describe('files', () => {
  it('of every kind below a folder are found, but not what is not ours', async () => {
    const pod = `apiVersion: v1\nkind: Pod\nspec: {containers: [{image: "${tag()}"}]}\n`
    const own = [
      'Dockerfile',
      'a/b/Containerfile',
      'compose.yaml',
      'k8s/pod.yml',
      'chart/values.yaml',
      '.github/workflows/ci.yml',
    ]
    write('Dockerfile', `FROM ${tag()}\n`)
    write('a/b/Containerfile', `FROM ${tag()}\n`)
    write('compose.yaml', `services: {a: {image: "${tag()}"}}\n`)
    write('k8s/pod.yml', pod)
    write('chart/Chart.yaml', 'name: x\n')
    write('chart/values.yaml', `image: {repository: ${registry.address}/library/alpine, tag: "3.10"}\n`)
    write('.github/workflows/ci.yml', `jobs: {a: {container: "${tag()}"}}\n`)
    for (const name of ['.git/Dockerfile', 'node_modules/x/Dockerfile']) write(name, `FROM ${tag()}\n`)
    write('chart/templates/pod.yaml', 'apiVersion: v1\nkind: Pod\nimage: {{ x }\n')
    write('notes.yaml', 'image: [\n')
    const { updates, problems } = await report(folder)
    expect(updates.map(({ file }) => file).sort()).toEqual(own.map((name) => join(folder, name)).sort())
    expect(problems).toEqual([])
    for (const name of own) expect(read(name), name).toContain(now())
    expect(read('node_modules/x/Dockerfile') + read('.git/Dockerfile')).not.toContain('sha256')
  })

  it('that are links stay links, and those that lead out of the folder are not followed', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'tidemark-outside-'))
    writeFileSync(join(outside, 'Dockerfile'), `FROM ${tag()}\n`)
    write('real/base.txt', `FROM ${tag()}\n`)
    symlinkSync(join('real', 'base.txt'), join(folder, 'Dockerfile'))
    symlinkSync(join(outside, 'Dockerfile'), join(folder, 'Dockerfile.out'))
    symlinkSync(outside, join(folder, 'out'))
    symlinkSync('.', join(folder, 'round'))
    symlinkSync('nowhere', join(folder, 'Dockerfile.dangling'))
    const { updates, problems } = await report(folder)
    expect([updates.map(({ file }) => file), problems]).toEqual([[join(folder, 'Dockerfile')], []])
    expect(lstatSync(join(folder, 'Dockerfile')).isSymbolicLink()).toBe(true)
    expect(read('real/base.txt')).toContain(now())
    expect(readFileSync(join(outside, 'Dockerfile'), 'utf8')).not.toContain('sha256')
    // One that is named is meant.
    expect((await pin(join(folder, 'Dockerfile.out'))).code).toBe(0)
    expect(readFileSync(join(outside, 'Dockerfile'), 'utf8')).toContain(now())
    rmSync(outside, { recursive: true })
  })

  it('keep their mode, and nothing is left beside them', async () => {
    const file = write('Dockerfile', `FROM ${tag()}\n`)
    chmodSync(file, 0o754)
    await pin(file)
    expect(statSync(file).mode & 0o7777).toBe(0o754)
    expect(readdirSync(folder)).toEqual(['Dockerfile'])
  })

  it('that do not parse, or are of no kind, are named and left alone', async () => {
    const broken = write('compose.yaml', 'services: [\n')
    const binary = write('Dockerfile', Buffer.from([0x46, 0x52, 0x4f, 0x4d, 0x20, 0xff, 0xfe, 0x0a]))
    const other = write('other.txt', 'x\n')
    const good = write('Containerfile', `FROM ${tag()}\n`)
    const { problems, updates } = await report(broken, binary, other, good, join(folder, 'none'), folder)
    expect(problems.map(({ file, code, reason }) => [file, code, reason])).toEqual([
      [binary, 'file-unreadable', expect.stringMatching(/is not UTF-8/)],
      [broken, 'file-unreadable', expect.stringMatching(/^line 2: /)],
      [join(folder, 'none'), 'file-unreadable', expect.stringMatching(/it is not there/)],
      [other, 'file-unreadable', expect.stringMatching(/no kind that names images.*Dockerfile, Containerfile/)],
    ])
    expect(updates.map(({ file }) => file)).toEqual([good])
    expect((await pin(broken)).code).toBe(2)
    expect(read('compose.yaml')).toBe('services: [\n')
  })
})

describe('a past digest', () => {
  const [first, second, third] = [digestOf('1'), digestOf('2'), digestOf('3')]
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
  const history = () =>
    JSON.stringify({
      history: [
        { updateTimestamp: daysAgo(30), digest: first },
        { updateTimestamp: daysAgo(10), digest: second },
        { updateTimestamp: daysAgo(1), digest: third },
      ],
    })
  const pinnedBy = async (...args: string[]) => {
    const file = write('Dockerfile', `FROM ${tag()}\n`)
    const { updates, problems } = await report(file, ...args)
    return updates[0]?.updated_digest ?? problems[0]?.code
  }
  const answerHistory = (body: string, status = 200) =>
    registry.setScript({ rules: [{ when: { path: '*/_chainguard/history/*' }, do: { status, body } }] })
  const places = [
    ['our history', async () => void (await cli.run('history', 'import', tag(), write('h.json', history())))],
    ["the registry's own", async () => answerHistory(history())],
    [
      "a server's",
      async () => {
        const there = createCli()
        await there.run('history', 'import', tag(), write('h.json', history()))
        const log = new PassThrough().resume()
        server = await serve({ environment: there.environment, listen: { host: '127.0.0.1', port: 0 }, log })
        const token = readFileSync(server.tokenFile, 'utf8').trim()
        cli = createCli({ TIDEMARK_SERVER: server.url, TIDEMARK_TOKEN: token })
      },
    ],
  ] as const
  let server: RunningServer | undefined
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })

  it.each(places)('comes from %s, by time and by age', async (_, prepare) => {
    await prepare()
    expect(await pinnedBy('--min-age', '3d')).toBe(second)
    expect(await pinnedBy('--min-age', '1h')).toBe(third)
    expect(await pinnedBy('--as-of', daysAgo(11))).toBe(first)
    expect(await pinnedBy('--as-of', daysAgo(40))).toBe('before-history')
    expect(await pinnedBy('--min-age', '40d')).toBe('before-history')
  })

  it.each(places)('of %s never moves a pin back for its age', async (_, prepare) => {
    await prepare()
    const update = async (digest: string, ...args: string[]) => {
      const file = write('Dockerfile', `FROM ${tag()}@${digest}\n`)
      await report(file, '--update', ...args)
      return read('Dockerfile').trim().split('@')[1]
    }
    expect(await update(first, '--min-age', '3d')).toBe(second)
    expect(await update(third, '--min-age', '3d')).toBe(third)
    expect(await update(third, '--as-of', daysAgo(5))).toBe(second)
  })

  it('of a server is none where that cannot be asked', async () => {
    await places[2][1]()
    expect(await pinnedBy('--as-of', daysAgo(5))).toBe(second)
    await server?.stop()
    expect(await pinnedBy('--as-of', daysAgo(5))).toBe('unreachable')
    cli = createCli({ TIDEMARK_SERVER: 'ftp://x' })
    expect(await pin(write('Dockerfile', `FROM ${tag()}\n`), '--as-of', daysAgo(5))).toMatchObject({
      ...{ code: 2, stderr: expect.stringMatching(/not the URL of a server/) },
    })
  })

  it("is never today's where there is no history", async () => {
    expect(await pinnedBy('--min-age', '3d')).toBe('not-watched')
    expect(await pinnedBy('--as-of', daysAgo(1))).toBe('not-watched')
    for (const [body, status] of [
      ['<html>', 200],
      ['{"history":null}', 200],
      ['', 403],
    ] as const) {
      answerHistory(body, status)
      expect(await pinnedBy('--min-age', '3d')).toBe('not-watched')
    }
    answerHistory('{"history":[{"updateTimestamp":"x","digest":"y"}]}')
    expect(await pinnedBy('--min-age', '3d')).toBe('broken-answer')
    expect(read('Dockerfile')).toBe(`FROM ${tag()}\n`)
  })

  it('comes from Quay as Quay tells it, and is none while the tag was away', async () => {
    const at = (days: number) => Math.floor(Date.parse(daysAgo(days)) / 1000)
    const entry = (digest: string, from: number, to?: number) => ({
      ...{ name: '3.10', manifest_digest: digest, start_ts: at(from) },
      ...(to !== undefined && { end_ts: at(to) }),
    })
    const tags = [entry(third, 1), entry(second, 10, 5), entry(first, 30, 10)]
    const body = JSON.stringify({ tags, page: 1, has_additional: false })
    registry.setScript({
      rules: [{ when: { path: '/api/v1/repository/library/alpine/tag/*' }, do: { status: 200, body } }],
    })
    const config = write('tidemark.yaml', `registries: { "${registry.address}": { kind: quay } }\n`)
    cli = createCli({ TIDEMARK_CONFIG: config })
    expect(await pinnedBy('--as-of', daysAgo(11))).toBe(first)
    expect(await pinnedBy('--as-of', daysAgo(6))).toBe(second)
    expect(await pinnedBy('--as-of', daysAgo(4))).toBe('before-history')
    expect(await pinnedBy('--min-age', '1h')).toBe(third)
    expect(await pinnedBy('--as-of', daysAgo(40))).toBe('before-history')
  })

  it('is asked for one way, and not in the future', async () => {
    const file = write('Dockerfile', `FROM ${tag()}\n`)
    expect((await pin(file, '--min-age', '3d', '--as-of', '2026-01-01')).code).toBe(2)
    expect(await pin(file, '--as-of', daysAgo(-1))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/not come yet/),
    })
    expect((await pin(file, '--min-age', 'x')).code).toBe(2)
  })
})

it('says what each moved pin changes, as JSON and for a pull request', async () => {
  const own = await startTestRegistry()
  const name = `${own.address}/library/alpine:3.10`
  const before = own.content.find('library/alpine')?.tags.get('3.10') as string
  own.move('library/alpine:3.10')
  write('Dockerfile', `FROM ${name}@${before}\nFROM ${name}\n`)
  write('b.Dockerfile', `FROM ${name}@${before}\nFROM $X\n`)
  const { updates } = await report(folder, '--check', '--with-diff')
  expect(updates.map(({ diff }) => diff?.packages.changed.length ?? diff)).toEqual([
    expect.any(Number),
    null,
    expect.any(Number),
  ])
  const checked = await pin(folder, '--check', '-o', 'markdown')
  expect(checked.stdout).toMatch(/^<!-- tidemark-pin -->\n\*\*1 image without a pin, 2 pins behind\*\*\n/)
  const { stdout, code } = await pin(folder, '--update', '--with-diff', '-o', 'markdown')
  expect(code).toBe(2)
  expect(stdout).toMatch(/^<!-- tidemark-pin -->\n\*\*1 image pinned, 2 pins moved\*\*\n/)
  expect(stdout).toMatch(/\| `.*\/Dockerfile:1` \| `127.*alpine:3.10` \| `sha256:\w{12}` \| `sha256:\w{12}` \|/)
  expect(stdout.match(/^### /gm)).toHaveLength(1)
  expect(stdout).toMatch(/Not pinned \(1\)[\s\S]*b\.Dockerfile:2/)
  await own.close()
})

it('runs as a program, which other tools can read the output of', async () => {
  write('Dockerfile', `FROM ${tag()}@${old}\n`)
  const run = promisify(execFile)
  const options = { cwd: folder, env: { HOME: folder } }
  const args = [resolve('bin/tidemark'), 'pin', '.', '--update', '-o', 'json']
  const { stdout, stderr } = await run(process.execPath, args, options)
  // The keys of digestabot's `updates`: https://github.com/chainguard-dev/digestabot
  const updates = [{ file: 'Dockerfile', image: tag(), digest: old, updated_digest: now(), line: 1 }]
  expect([JSON.parse(stdout), stderr]).toEqual([{ updates, pinned: [], problems: [] }, ''])
  expect(read('Dockerfile')).toBe(`FROM ${tag()}@${now()}\n`)
  await expect(run(process.execPath, [...args, '--min-age', '1x'], options)).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(/^error: not a duration/),
  })
})
