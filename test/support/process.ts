import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Environment } from '../../src/flows/places.js'

/** `bin/tidemark` as a process of its own. */
export interface TidemarkProcess {
  /** The first line of its output: the address that it serves. */
  readonly url: string
  readonly child: ChildProcess
  /** What it has written to stderr so far. */
  log(): string
  /** Sends a signal and waits for its end; gives the exit code, null after a signal that it did not catch. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts a command that serves, and waits until it says where. Needs a built dist/. */
export async function startTidemark(args: readonly string[], environment: Environment): Promise<TidemarkProcess> {
  const child = spawn(process.execPath, [resolve('bin/tidemark'), ...args], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk
  })
  const ended = new Promise<number | null>((done) => child.once('exit', done))
  const url = await new Promise<string>((done, fail) => {
    createInterface({ input: child.stdout }).once('line', done)
    void ended.then((code) => fail(new Error(`tidemark ${args.join(' ')} ended with ${code}: ${log}`)))
  })
  return {
    url,
    child,
    log: () => log,
    async end(signal = 'SIGTERM') {
      child.kill(signal)
      return await ended
    },
  }
}
