import { parentPort, workerData } from 'node:worker_threads'
import type { SnapshotCall, SnapshotFile, SnapshotFileOptions } from '../vuln/snapshot-file.js'
import { serveSnapshot } from '../vuln/snapshot-port.js'
import { snapshotStore } from './snapshot-store.js'
import { errorForThread, type ThreadAnswer } from './thread-answer.js'

/*
 * The program of the thread that writes a snapshot: see snapshot-thread.ts. It answers each call, and ends after `close`.
 */

const serve = serveSnapshot(workerData as SnapshotFileOptions, snapshotStore)
const port = parentPort

port?.on('message', ({ name, args }: { name: SnapshotCall; args: Parameters<SnapshotFile[SnapshotCall]> }) => {
  port.postMessage(answerTo(name, args))
  if (name === 'close') port.close()
})

function answerTo(name: SnapshotCall, args: Parameters<SnapshotFile[SnapshotCall]>): ThreadAnswer {
  try {
    return { value: serve(name, args) }
  } catch (error) {
    return { error: errorForThread(error) }
  }
}
