import { describe, expect, it } from 'vitest'
import { limits } from '../core/limits.js'
import { TextReader } from './read-text.js'

/** What a reader makes of a text that comes in such pieces. */
async function read(pieces: readonly Buffer[]) {
  const taken: unknown[] = []
  const refused: string[] = []
  const reader = new TextReader('records.jsonl', {
    take: (value) => taken.push(value),
    isDivisible: () => false,
    settle: () => null,
    refuse: (reason) => refused.push(reason),
  })
  for (const piece of pieces) reader.push(piece)
  await reader.end()
  return { taken, refused }
}

const inPiecesOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))

describe('lines of JSON', () => {
  // Characters of one to four bytes of UTF-8, so that pieces of every size cut through some.
  const records = [{ id: 'A' }, { id: 'é', text: '日本 🐧' }, { id: 'C', list: ['\n', '"'] }]
  const text = `\ufeff${records.map((record) => JSON.stringify(record)).join('\n')}`

  it.each([1, 2, 3, 7, 1000])('are the same in pieces of %i bytes', async (size) => {
    expect(await read(inPiecesOf(Buffer.from(text), size))).toEqual({ taken: records, refused: [] })
    expect(await read(inPiecesOf(Buffer.from(`${text}\n\n`), size))).toEqual({ taken: records, refused: [] })
  })

  it('that are no JSON are refused by their number, and the others are read', async () => {
    const { taken, refused } = await read([Buffer.from('{"id":"A"}\n{"id":\n\n{"id":"D"}\r\n')])
    expect({ taken, refused }).toEqual({ taken: [{ id: 'A' }, { id: 'D' }], refused: ['line 2 is no JSON'] })
  })

  it('that are too long are left out, and what follows is read', async () => {
    const long = Buffer.alloc(limits.advisoryRecordBytes + 1, ' ')
    const pieces = [Buffer.from('{"id":"A"}\n'), long, long, Buffer.from('\n{"id":"C"}'), Buffer.from('\n')]
    expect(await read(pieces)).toEqual({
      taken: [{ id: 'A' }, { id: 'C' }],
      refused: [`line 2 is longer than ${limits.advisoryRecordBytes} bytes`],
    })
  })
})

it('other lines are taken as they are', async () => {
  const bytes = Buffer.from('cve,epss\nCVE-2024-1,0.5\nnaïve,')
  for (const size of [1, 5, 100]) {
    expect(await read(inPiecesOf(bytes, size))).toEqual({
      taken: ['cve,epss', 'CVE-2024-1,0.5', 'naïve,'],
      refused: [],
    })
  }
})
