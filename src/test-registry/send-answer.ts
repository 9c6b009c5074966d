import type { ServerResponse } from 'node:http'
import type { Clock } from '../core/clock.js'
import { parseDuration } from '../core/time.js'
import type { Answer } from './answer.js'
import { expandTimes, type Misdeed } from './script.js'

/** `answer` with what a rule changes of it. */
export function applyMisdeed(answer: Answer, misdeed: Misdeed, nowMs: number): Answer {
  const { status = answer.status } = misdeed
  const replaced = misdeed.body !== undefined || misdeed.status !== undefined
  const headers = replaced ? {} : { ...answer.headers }
  let body = replaced ? new TextEncoder().encode(misdeed.body ?? '') : answer.body
  if (misdeed.corrupt && body.byteLength > 0) {
    body = Uint8Array.from(body)
    body[body.byteLength - 1] = (body.at(-1) ?? 0) ^ 1
  }
  if (misdeed.digest !== undefined) headers['docker-content-digest'] = misdeed.digest === 'none' ? '' : misdeed.digest
  for (const [name, value] of Object.entries(misdeed.headers ?? {})) {
    headers[name.toLowerCase()] = expandTimes(value, nowMs)
  }
  for (const [name, value] of Object.entries(headers)) if (value === '') delete headers[name]
  return { status, headers, body }
}

/** Writes `answer`, cut off or slowly where a rule says so. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  isHead: boolean,
  misdeed: Misdeed | undefined,
  clock: Clock,
): Promise<void> {
  const { body } = answer
  const noContent = answer.status === 304 || answer.status === 204
  response.writeHead(
    answer.status,
    noContent ? answer.headers : { ...answer.headers, 'content-length': body.byteLength },
  )
  if (isHead || noContent) response.end()
  else if (misdeed?.truncate !== undefined) {
    response.write(body.subarray(0, misdeed.truncate), () => response.socket?.destroy())
  } else if (misdeed?.slow !== undefined) await sendSlowly(response, body, parseDuration(misdeed.slow), clock)
  else response.end(body)
}

async function sendSlowly(response: ServerResponse, body: Uint8Array, pauseMs: number, clock: Clock): Promise<void> {
  for (const byte of body) {
    if (response.destroyed) return
    response.write(Uint8Array.of(byte))
    await clock.sleep(pauseMs)
  }
  response.end()
}
