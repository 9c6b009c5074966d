import type { TidemarkEvent } from './event.js'

/**
 * Reads server-sent events (HTML Living Standard, "Server-sent events") whose data is one JSON object each.
 * @throws the reason of `signal` when it aborts
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterable<TidemarkEvent> {
  const reader = body.getReader()
  // The fetch of Node 20 and 22 forgets its signal once garbage was collected: a stream that waits would wait for ever.
  const cancel = () => {
    // Where the stream has failed already, whoever reads is told so.
    reader.cancel(signal?.reason).catch(() => undefined)
  }
  signal?.addEventListener('abort', cancel, { once: true })
  const decoder = new TextDecoder()
  let buffer = ''
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { done, value } = await reader.read()
      if (done) {
        signal?.throwIfAborted()
        return
      }
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
    signal?.removeEventListener('abort', cancel)
    await reader.cancel()
  }
}
