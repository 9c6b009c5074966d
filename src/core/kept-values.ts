/**
 * Values that took work to make, kept in memory by key up to a number of bytes; the longest unused goes first.
 */
export class KeptValues<Value> {
  readonly #values = new Map<string, { readonly value: Value; readonly bytes: number }>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Value | undefined {
    const kept = this.#values.get(key)
    if (kept === undefined) return undefined
    this.#values.delete(key)
    this.#values.set(key, kept)
    return kept.value
  }

  /** @param bytes what the value takes, about; one that is larger than all may be is not kept */
  put(key: string, value: Value, bytes: number): void {
    this.#bytes -= this.#values.get(key)?.bytes ?? 0
    this.#values.delete(key)
    if (bytes > this.#maxBytes) return
    this.#values.set(key, { value, bytes })
    this.#bytes += bytes
    for (const [oldest, dropped] of this.#values) {
      if (this.#bytes <= this.#maxBytes) return
      this.#values.delete(oldest)
      this.#bytes -= dropped.bytes
    }
  }
}
