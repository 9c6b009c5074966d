import { writeSync } from 'node:fs'
import { main } from './main.js'
import { exitCodes } from './report.js'

/**
 * The process around {@link main}: Ctrl-C and SIGTERM end a command cleanly, the second one at once. A reader that goes away
 * (`tidemark tags … | head`) ends it without a word; what a command then comes to is still its exit code, because a gate that was hit
 * is hit whoever reads of it.
 */
export async function run(): Promise<void> {
  const abort = new AbortController()
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted)
    abort.abort()
  }
  let isReaderGone = false
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') {
        isReaderGone = true
        abort.abort()
        return
      }
      // To stderr by hand: the stream that failed may be it.
      writeSync(2, `error: the output cannot be written (${error.code ?? error.message})\n`)
      process.exit(exitCodes.trouble)
    })
  }
  const exitCode = await main({
    args: process.argv.slice(2),
    terminal: { stdout: process.stdout, stderr: process.stderr },
    environment: process.env,
    signal: abort.signal,
  })
  process.exitCode = isReaderGone && exitCode === exitCodes.interrupted ? exitCodes.readerGone : exitCode
}
