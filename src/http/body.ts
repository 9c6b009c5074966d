import type { IncomingMessage } from 'node:http'
import { Fault } from '../core/fault.js'

const empty = Buffer.alloc(0)

/**
 * Reads a body whole, up to a limit; beyond it the connection is broken off, whatever Content-Length said.
 * @param isTruncated keep the first `maxBytes` instead of failing: for error bodies, of which the beginning is enough
 * @throws Fault `too-large`, `unreachable` when it ends early
 */
export function readBody(response: IncomingMessage, maxBytes: number, isTruncated = false): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    response.on('data', (chunk: Buffer) => {
      length += chunk.byteLength
      if (length <= maxBytes) {
        chunks.push(chunk)
        return
      }
      if (isTruncated) {
        chunks.push(chunk.subarray(0, maxBytes - (length - chunk.byteLength)))
        resolve(Buffer.concat(chunks))
      } else reject(new Fault('too-large', `the answer is larger than ${maxBytes} bytes`))
      response.destroy()
    })
    response.on('end', () => {
      if (!response.complete) return reject(brokenOff())
      resolve(chunks.length === 0 ? empty : chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length))
    })
    response.on('error', reject)
    response.on('close', () => {
      if (!response.complete) reject(brokenOff())
    })
  })
}

function brokenOff(): Fault {
  return new Fault('unreachable', 'the connection broke off in the middle of the answer')
}
