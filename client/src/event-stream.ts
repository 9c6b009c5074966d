import type { TidemarkEvent } from './event.js'

/** Reads server-sent events (HTML Living Standard, "Server-sent events") whose data is one JSON object each. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncIterable<TidemarkEvent> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      buffer += decoder.decode(value, { stream: true })
      const blocks = buffer.split(/\r?\n\r?\n/)
      buffer = blocks.pop() ?? ''
      for (const block of blocks) {
        const data = block
          .split(/\r?\n/)
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trimStart())
          .join('\n')
        if (data !== '') yield JSON.parse(data) as TidemarkEvent
      }
    }
  } finally {
    await reader.cancel()
  }
}
