/** What waits for its time. */
export interface Due {
  /** Milliseconds since the epoch. */
  dueAt: number
}

/** A queue by time: a binary heap, so that 100,000 tags cost a few comparisons each. */
export class DueQueue<Item extends Due> {
  readonly #heap: Item[] = []

  get size(): number {
    return this.#heap.length
  }

  /** When the first falls due; null when nothing waits. */
  get nextAt(): number | null {
    return this.#heap[0]?.dueAt ?? null
  }

  push(item: Item): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(item)
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above] as Item
      if (parent.dueAt <= item.dueAt) break
      heap[place] = parent
      place = above
    }
    heap[place] = item
  }

  /** Takes the first, if it is due at `now`. */
  pop(now: number): Item | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.dueAt > now) return undefined
    const last = heap.pop() as Item
    if (heap.length > 0) this.#sink(last)
    return first
  }

  #sink(item: Item): void {
    const heap = this.#heap
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && (heap[child + 1] as Item).dueAt < (heap[child] as Item).dueAt) child++
      if ((heap[child] as Item).dueAt >= item.dueAt) break
      heap[place] = heap[child] as Item
      place = child
    }
    heap[place] = item
  }
}
