import { describe, expect, it } from 'vitest'
import { limits } from '../core/limits.js'
import { TextReader } from './read-text.js'

function createReader(name = 'records.jsonl') {
  const taken: unknown[] = []
  const refused: string[] = []
  const reader = new TextReader(name, {
    take: (value) => taken.push(value),
    isDivisible: () => false,
    isKnown: (sample) => sample === 'cve,epss',
    settle: () => null,
    refuse: (reason) => refused.push(reason),
  })
  return { reader, taken, refused }
}

/** What a reader makes of a text that comes in such pieces. */
async function read(pieces: readonly Buffer[], name?: string) {
  const { reader, taken, refused } = createReader(name)
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

describe('blanks before a document', () => {
  const blanks = { spaces: ' ', lines: '\n', 'lines of spaces': `${' '.repeat(99)}\r\n`, tabs: '\t' }

  it.each(Object.entries(blanks))('are not kept, however many: %s', async (_, blank) => {
    const chunk = Buffer.from(blank.repeat((256 * 1024) / blank.length))
    const { reader, taken, refused } = createReader()
    let mostHeld = 0
    for (let bytes = 0; bytes < 64 * 1024 * 1024; bytes += chunk.length) {
      reader.push(chunk)
      mostHeld = Math.max(mostHeld, reader.heldBytes)
    }
    expect(mostHeld).toBeLessThanOrEqual(4096)
    for (const piece of ['{"id"', ':"A"}\n{"id":"B"}', '\n']) reader.push(Buffer.from(piece))
    await reader.end()
    expect({ taken, refused }).toEqual({ taken: [{ id: 'A' }, { id: 'B' }], refused: [] })
  })

  it('are too many where they alone are more than a document may have', () => {
    const { reader } = createReader()
    const chunk = Buffer.alloc(16 * 1024 * 1024, '\n')
    const pushAll = () => {
      for (let bytes = 0; bytes <= limits.advisoryDocumentBytes; bytes += chunk.length) reader.push(chunk)
    }
    expect(pushAll).toThrow(`a document is larger than ${limits.advisoryDocumentBytes} bytes`)
  })

  it('and nothing behind them are no document; neither are blanks that only other alphabets have', async () => {
    await expect(read([Buffer.from(' '), Buffer.from('\n ')])).rejects.toThrow('it holds nothing')
    await expect(read([Buffer.from('\ufeff\n')])).rejects.toThrow('it holds nothing')
    // At once: all of them would be looked through again with every piece.
    const { reader } = createReader()
    expect(() => reader.push(Buffer.from('\u3000\n'.repeat(10_000)))).toThrow('it holds nothing')
    expect(await read([])).toEqual({ taken: [], refused: [] })
  })

  it.each([1, 2, 3, 1000])('count as lines, and as the indentation of YAML, in pieces of %i bytes', async (size) => {
    const lines = inPiecesOf(Buffer.from('\n \r\n\n  {"id":"A"}\n{"id":\n'), size)
    expect(await read(lines)).toEqual({ taken: [{ id: 'A' }], refused: ['line 5 is no JSON'] })
    const yaml = inPiecesOf(Buffer.from('\n \n  a:\n    b: c\n  d: e\n'), size)
    expect(await read(yaml, 'x.yaml')).toEqual({ taken: [{ a: { b: 'c' }, d: 'e' }], refused: [] })
  })
})

it('one long line is held once, and no longer than a line may be', async () => {
  const { reader, refused } = createReader()
  reader.push(Buffer.from('a line\n'))
  let mostHeld = 0
  for (let count = 0; count < 100; count++) {
    reader.push(Buffer.alloc(1024 * 1024, 'x'))
    mostHeld = Math.max(mostHeld, reader.heldBytes)
  }
  await reader.end()
  expect(mostHeld).toBeLessThanOrEqual(limits.advisoryRecordBytes)
  expect(refused).toEqual([`line 2 is longer than ${limits.advisoryRecordBytes} bytes`])
})

describe('what is no text', () => {
  const png = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n\n\n', 'latin1')
  const utf16 = Buffer.from('\ufeff{"id":"A"}\n{"id":"B"}\n', 'utf16le')

  it.each([20, 1000])('is refused once, and not line by line, in pieces of %i bytes', async (size) => {
    await expect(read(inPiecesOf(png, size))).rejects.toThrow('it is binary, or text in another encoding than UTF-8')
    await expect(read(inPiecesOf(utf16, size))).rejects.toThrow('it is binary, or text')
    await expect(read(inPiecesOf(Buffer.from('SQLite format 3\0\n\n'), size))).rejects.toThrow('an SQLite database')
  })

  it('is not what has a line that is known', async () => {
    const lines = ['cve,epss', 'CVE-2024-1,\0', 'CVE-2024-2,0.5']
    expect(await read([Buffer.from(lines.join('\n'))])).toEqual({ taken: lines, refused: [] })
  })
})
