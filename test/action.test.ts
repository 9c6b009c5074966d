import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'

interface Step {
  readonly shell: string
  readonly env: Record<string, string>
  readonly run: string
}
const action = parse(readFileSync('action/action.yml', 'utf8')) as {
  readonly inputs: Record<string, { readonly default?: string; readonly required?: boolean }>
  readonly outputs: Record<string, { readonly value: string }>
  readonly runs: { readonly steps: readonly Step[] }
}

let registry: TestRegistry
let folder: string
const tag = () => `${registry.address}/library/alpine:3.10`

beforeAll(async () => {
  registry = await startTestRegistry()
})
afterAll(() => registry.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-action-'))
  mkdirSync(join(folder, 'bin'))
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${resolve('bin/tidemark')}" "$@"\n`
  writeFileSync(join(folder, 'bin', 'tidemark'), shim)
  chmodSync(join(folder, 'bin', 'tidemark'), 0o755)
  return () => rmSync(folder, { recursive: true })
})

/** Runs the steps of the action as a runner does: expressions filled in, `bash --noprofile --norc -eo pipefail`. */
async function runAction(inputs: Record<string, string>) {
  const [output, summary] = ['output', 'summary'].map((name) => join(folder, name))
  for (const file of [output, summary]) writeFileSync(file as string, '')
  const fill = (text: string) =>
    text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
      if (name === 'github.action_path') return resolve('action')
      const input = name.replace('inputs.', '')
      return inputs[input] ?? action.inputs[input]?.default ?? ''
    })
  let code = 0
  for (const step of action.runs.steps) {
    expect([step.shell, fill(step.run)]).toEqual(['bash', step.run])
    const own = Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, fill(text)]))
    const environment = {
      ...{ HOME: folder, RUNNER_TEMP: folder, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, ...own },
      PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    }
    const script = join(folder, 'step.sh')
    writeFileSync(script, step.run)
    const args = ['--noprofile', '--norc', '-eo', 'pipefail', script]
    code ||= await new Promise<number>((done) => {
      execFile('bash', args, { cwd: folder, env: environment }, (error) => done(Number(error?.code ?? 0)))
    })
  }
  const lines = readFileSync(output as string, 'utf8')
    .trim()
    .split('\n')
  const outputs = Object.fromEntries(lines.map((line) => line.split('=') as [string, string]))
  for (const name of lines[0] === '' ? [] : Object.keys(outputs)) {
    expect(action.outputs[name]?.value).toBe(`\${{ steps.run.outputs.${name} }}`)
  }
  return { code, ...outputs, summary: readFileSync(summary as string, 'utf8') } as Record<string, unknown>
}

describe('the action', () => {
  it('checks: a move is an answer, what is unknown is a failure', async () => {
    const check = (reference: string) =>
      runAction({ command: 'check', args: `${reference}\n\n  --store  \nfile:state.json\n` })
    expect(await check(tag())).toMatchObject({ code: 0, changed: 'false', 'exit-code': '0' })
    registry.move('library/alpine:3.10')
    const moved = await check(tag())
    expect(moved).toMatchObject({ code: 0, changed: 'true', 'exit-code': '10' })
    expect(moved.summary).toMatch(/^\| Status \|.*\n\| --- .*\n\| moved \| `127.*alpine:3.10` \| `sha256:\w{12}` \|/)
    expect(JSON.parse(readFileSync(moved.result as string, 'utf8')).results).toHaveLength(1)
    expect(await check('127.0.0.1:1/x')).toMatchObject({ code: 20, changed: 'false', 'exit-code': '20' })
  })

  it('pins, with one argument a line, which no shell reads', async () => {
    mkdirSync(join(folder, 'a $(touch oops)'))
    writeFileSync(join(folder, 'a $(touch oops)', 'Dockerfile'), `FROM ${tag()}\nFROM $X\n`)
    const args = './a $(touch oops)\r\n--drop-tag'
    const pinned = await runAction({ command: 'pin', args })
    expect(pinned).toMatchObject({ code: 2, changed: 'true', 'exit-code': '2' })
    expect(pinned.summary).toMatch(/`a \$\(touch oops\)\/Dockerfile:1`[\s\S]*Not pinned:[\s\S]*no ARG/)
    expect(await runAction({ command: 'pin', args })).toMatchObject({ code: 2, changed: 'false' })
    expect(await runAction({ command: 'pin', args: '.\n--check' })).toMatchObject({ changed: 'false' })
  })

  it('compares', async () => {
    const image = registry.content.find('library/alpine')?.tags.get('3.10')
    const args = [`${registry.address}/demo/app:1.0`, tag(), '--exit-code', '--platform', 'linux/amd64'].join('\n')
    expect(image).toBeDefined()
    expect(await runAction({ command: 'diff', args })).toMatchObject({
      ...{ code: 1, changed: 'true', 'exit-code': '1' },
      summary: expect.stringContaining('alpine'),
    })
  })

  it('does nothing else, and says why where it failed', async () => {
    expect(await runAction({ command: 'serve' })).toMatchObject({ code: 2, summary: '' })
    const failed = await runAction({ command: 'check', args: '--nonsense' })
    expect(failed).toMatchObject({ code: 2, changed: 'false', summary: expect.stringMatching(/told nothing/) })
  })
})
