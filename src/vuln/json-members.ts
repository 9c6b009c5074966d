import { Fault } from '../core/fault.js'

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a]
const [open, close, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * The members of a large JSON object, each as the text of an object with that member alone. Nothing but the nesting is looked
 * at: whoever parses the texts finds what is wrong in them.
 * @throws Fault `broken-answer` where the object ends early, or is none
 */
export function* jsonMembers(bytes: Buffer): Generator<string> {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== open) throw notWhole()
  at = skipSpace(bytes, at + 1)
  while (bytes[at] !== close) {
    const end = memberEnd(bytes, at)
    yield `{${bytes.toString('utf8', at, end)}}`
    at = skipSpace(bytes, end)
    if (bytes[at] === comma) at = skipSpace(bytes, at + 1)
    else if (bytes[at] !== close) throw notWhole()
  }
}

/** Where the comma or brace after a member stands. */
function memberEnd(bytes: Buffer, start: number): number {
  if (bytes[start] !== quote) throw notWhole()
  let at = skipSpace(bytes, stringEnd(bytes, start))
  if (bytes[at] !== colon) throw notWhole()
  let depth = 0
  for (at++; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = stringEnd(bytes, at) - 1
    else if (byte === open || byte === openList) depth++
    else if (byte === comma && depth === 0) return at
    else if (byte === close || byte === closeList) {
      if (depth === 0) return at
      depth--
    }
  }
  throw notWhole()
}

/** Behind the closing quote of the string that begins at `start`. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(quote, start + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let slashes = 0
    while (bytes[at - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return at + 1
  }
  throw notWhole()
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at]) at++
  return at
}

function notWhole(): Fault {
  return new Fault('broken-answer', 'it is no whole JSON')
}
