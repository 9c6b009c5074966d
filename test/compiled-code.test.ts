import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../bin/tidemark', import.meta.url))

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'tidemark-compiled-'))
  writeFileSync(join(home, 'kept.json'), JSON.stringify({ history: [] }))
  writeFileSync(join(home, 'tidemark.yaml'), 'every: 1h\n')
  writeFileSync(join(home, 'Dockerfile'), 'FROM scratch\n')
})
afterAll(() => rmSync(home, { recursive: true }))

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: home, TIDEMARK_HOME: join(home, 'data') }
  return new Promise((done) => {
    execFile(process.execPath, [program, ...args], { env, cwd: home }, (error, stdout, stderr) => {
      done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

/** Commands that load something only when they need it: each way of loading is another. */
const commands: readonly (readonly [what: string, args: readonly string[]])[] = [
  ['nothing', ['version']],
  ['SQLite and typebox', ['history', 'import', 'registry.example.com/a:1', 'kept.json']],
  ['the driver of PostgreSQL', ['watch', 'list', '--database', 'postgres://127.0.0.1:1/none']],
  ['the client of Redis', ['check', 'registry.example.com/a:1', '--store', 'redis://127.0.0.1:1']],
  ['YAML', ['tags', '127.0.0.1:1/none', '--config', 'tidemark.yaml']],
  ['the reader of Dockerfiles', ['pin', 'Dockerfile']],
]

describe('the code that is kept between runs', () => {
  it.each(commands)('makes no difference to a command that loads %s', async (_, args) => {
    const first = await run(args)
    expect(first.stderr).not.toMatch(/unexpected|Experimental|dynamic import/)
    // A run that ends badly leaves none: another of the same command does.
    await run([args[0] ?? '', '--help'])
    const folder = join(home, '.cache', 'tidemark', 'compiled')
    const kept = readdirSync(folder).flatMap((build) => readdirSync(join(folder, build)))
    expect(kept).toContain(args[0])
    expect(await run(args)).toEqual(first)
  })
})
