import type { CallName, Calls } from '../../client/src/index.js'
import type { JudgeDocuments } from '../flows/advisory-data.js'
import { isLocalSource } from '../flows/image-location.js'
import { type CallOptions, call } from './call.js'
import type { CommandContext } from './context.js'
import { documentsOf, type FindingOptions } from './findings.js'
import { startProgress } from './terminal.js'

/** What a command about images is told besides its input. */
type ImageOptions = CallOptions & Pick<FindingOptions, 'vex' | 'ignoreFile'>

/**
 * Runs an operation that reads `sources`, with progress on a terminal: there with `--server`, but here where one of them lies on
 * this machine.
 * @throws Fault as `call` and `documentsOf`
 */
export async function callOnImages<Name extends CallName>(
  name: Name,
  sources: readonly string[],
  input: Calls[Name]['input'],
  context: CommandContext,
  options: ImageOptions,
): Promise<Calls[Name]['output']> {
  const isLocal = sources.some(isLocalSource)
  const where = { ...options, ...(isLocal && { server: undefined }) }
  const environment = { ...context.environment, TIDEMARK_SERVER: undefined }
  const here = isLocal ? { ...context, environment } : context
  const documents: JudgeDocuments = documentsOf(where, here)
  const progress = startProgress(context.terminal, Date.now)
  const onProgress = (done: number, of: number) => progress.update(`read ${done} of ${of} layers`)
  try {
    return await call(name, input, here, { ...where, documents, onProgress })
  } finally {
    progress.end()
  }
}
