import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { Fault, toFault } from '../core/fault.js'
import type { SnapshotFileOptions } from '../vuln/snapshot-file.js'
import { type OpenSnapshotPort, type SnapshotPort, writeHere } from '../vuln/snapshot-port.js'
import { snapshotStore } from './snapshot-store.js'
import { errorFromThread, type ThreadAnswer } from './thread-answer.js'

/** Beside this file in dist/, and beside the bundle that holds it, as a bundle of its own (scripts/bundle.mjs). */
const program = new URL('./snapshot-worker.js', import.meta.url)

/**
 * Lets a thread write a snapshot (docs/decisions/0014-writing-thread.md). It begins at once, and is gone when the port has ended.
 * Where TypeScript is run as it is, in tests and scripts, there is no program for a thread: then this one writes.
 */
export const writeInThread: OpenSnapshotPort = import.meta.url.endsWith('.ts') ? writeHere(snapshotStore) : startThread

interface Asked {
  answer(value: unknown): void
  fail(error: unknown): void
}

function startThread(options: SnapshotFileOptions): SnapshotPort {
  const worker = new Worker(fileURLToPath(program), { name: 'snapshot', workerData: options })
  /** In the order in which it answers. */
  const asked: Asked[] = []
  let death: Fault | null = null
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      death ??= threadFault(`ended (${code})`)
      for (const { fail } of asked.splice(0)) fail(death)
      resolve()
    })
  })
  worker.once('error', (error) => {
    death = threadFault(toFault(error).message, error)
  })
  worker.on('message', (message: ThreadAnswer) => {
    const first = asked.shift()
    if ('error' in message) first?.fail(errorFromThread(message.error))
    else first?.answer(message.value)
  })
  const call: SnapshotPort['call'] = (name, ...args) =>
    new Promise((resolve, reject) => {
      if (death !== null) {
        reject(death)
        return
      }
      worker.postMessage({ name, args })
      asked.push({ answer: resolve as Asked['answer'], fail: reject })
    })
  return {
    call,
    async end() {
      // It ends by itself when it has closed the file; where it is dead, there is nothing to close.
      if (death === null) worker.postMessage({ name: 'close', args: [] })
      await ended
    },
  }
}

function threadFault(why: string, cause?: unknown): Fault {
  return new Fault('internal', `the thread that writes the advisory data: ${why}`, { cause })
}
