import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { main } from '../../src/cli/main.js'
import type { Environment } from '../../src/flows/places.js'

/** What a command left behind. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs commands in this process, on a data folder of their own. */
export interface TestCli {
  readonly home: string
  readonly environment: Environment
  run(...args: string[]): Promise<CommandResult>
  /** Runs a command with `-o json` and gives its body; fails when it says anything else than JSON. */
  json(...args: string[]): Promise<unknown>
}

/** A data folder with nothing in it, and commands that use it. `extra` is added to their environment. */
export function createCli(extra: Environment = {}): TestCli {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
  const environment = { HOME: home, TIDEMARK_HOME: join(home, 'data'), PATH: process.env.PATH, ...extra }
  const run = async (...args: string[]) => {
    const stdout = collect()
    const stderr = collect()
    const { signal } = new AbortController()
    const code = await main({ args, terminal: { stdout: stdout.stream, stderr: stderr.stream }, environment, signal })
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  }
  return {
    home,
    environment,
    run,
    async json(...args) {
      const { stdout, stderr } = await run(...args, '-o', 'json')
      if (stdout === '') throw new Error(`no body: ${stderr}`)
      return JSON.parse(stdout)
    },
  }
}

function collect(): { stream: Writable; text(): string } {
  const chunks: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}
