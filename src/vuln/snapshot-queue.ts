import { BatchGatherer, type RecordBatch } from './record-batch.js'
import type { SnapshotCall, SnapshotFile } from './snapshot-file.js'
import type { Answer, SnapshotPort } from './snapshot-port.js'

/**
 * Batches that may wait to be written while more is read: some files take longer to read, others to write, and the thread that writes
 * takes a while to begin. They hold 1 MB each at most (`charactersAtOnce`), and a few tenths of one as a rule.
 */
const waitingBatches = 32

/** What is asked of the one that writes a snapshot, with the records that were put into sinks meanwhile, in one order. */
export class SnapshotQueue {
  /** Where records are put. */
  readonly records = new BatchGatherer((batch) => this.#write(batch))
  readonly #port: SnapshotPort
  #waiting = 0
  /** What went wrong with something whose answer nobody waited for. */
  #failed: { readonly error: unknown } | null = null
  /** When all is answered whose answer nobody waited for. Never fails. */
  #kept = Promise.resolve()
  #wake = () => {}

  constructor(port: SnapshotPort) {
    this.#port = port
  }

  /** Asks for something after all that came before. @throws what went wrong with that, and with what was posted before */
  async ask<Name extends SnapshotCall>(name: Name, ...args: Parameters<SnapshotFile[Name]>): Promise<Answer<Name>> {
    this.records.flush()
    // What was posted before it is answered before it; only then is it known whether that went well.
    const [answer] = await Promise.allSettled([this.#port.call(name, ...args), this.#kept])
    this.#throwFailed()
    if (answer.status === 'rejected') throw answer.reason
    return answer.value
  }

  /** Asks for something after all that came before, and lets {@link ask} or {@link settle} tell what goes wrong with it. */
  post(name: 'opened' | 'begin' | 'commit'): void {
    this.records.flush()
    this.#kept = this.#keep(this.#port.call(name), this.#kept)
  }

  /** Waits until another batch may come; null where one may come now. @throws what went wrong with one that came before */
  settle(): Promise<void> | null {
    return this.#failed === null && this.#waiting <= waitingBatches ? null : this.#settle()
  }

  /** Takes back all since `begin`. */
  async rollback(): Promise<void> {
    this.records.clear()
    await this.#port.call('rollback')
    await this.#kept
    this.#failed = null
  }

  async #settle(): Promise<void> {
    while (this.#failed === null && this.#waiting > waitingBatches) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#throwFailed()
  }

  #write(batch: RecordBatch): void {
    this.#waiting++
    const written = this.#port.call('write', batch).finally(() => this.#waiting--)
    this.#kept = this.#keep(written, this.#kept)
  }

  async #keep(answer: Promise<void>, before: Promise<void>): Promise<void> {
    try {
      await answer
    } catch (error) {
      this.#failed ??= { error }
    }
    this.#wake()
    await before
  }

  #throwFailed(): void {
    const failed = this.#failed
    // Told once: what comes after it was taken back can be well.
    this.#failed = null
    if (failed !== null) throw failed.error
  }
}
