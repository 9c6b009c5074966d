import { Fault } from '../../core/fault.js'
import type { ImageFiles } from './image-source.js'

/**
 * A small file whole.
 * @param what it is, for messages
 * @throws Fault `damaged-layer` when it is not there, `too-large`
 */
export async function readFile(
  files: ImageFiles,
  path: string,
  what: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const sizeBytes = await files.sizeBytes(path)
  if (sizeBytes === null) throw new Fault('damaged-layer', `${what} is missing`)
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of files.read(path, signal)) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Fault('too-large', `${what} has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
