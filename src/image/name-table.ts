import { randomInt } from 'node:crypto'

/** Another order in each process: names chosen to collide would have to be chosen anew. */
const seed = randomInt(2 ** 32)

/**
 * Finds things by parent and name, at some 16 bytes a thing: a folder's entries in a {@link FileList}, nodes in a tree. Things
 * are numbers above 0; who they are called is asked of the owner.
 */
export class NameTable {
  readonly #isCalled: (thing: number, parent: number, bytes: Buffer, start: number, end: number) => boolean
  #things = new Uint32Array(1024)
  #hashes = new Uint32Array(1024)
  #count = 0

  constructor(isCalled: (thing: number, parent: number, bytes: Buffer, start: number, end: number) => boolean) {
    this.#isCalled = isCalled
  }

  /** The thing that `parent` has under the name in `bytes`; 0 when there is none. */
  find(parent: number, bytes: Buffer, start: number, end: number): number {
    const hash = hashOf(parent, bytes, start, end)
    const mask = this.#things.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const thing = this.#things[slot] as number
      if (thing === 0) return 0
      if (this.#hashes[slot] === hash && this.#isCalled(thing, parent, bytes, start, end)) return thing
    }
  }

  /** Adds what {@link find} did not find. */
  add(thing: number, parent: number, bytes: Buffer, start: number, end: number): void {
    if (this.#count * 3 >= this.#things.length * 2) this.#grow()
    this.#put(thing, hashOf(parent, bytes, start, end))
    this.#count++
  }

  #put(thing: number, hash: number): void {
    const mask = this.#things.length - 1
    let slot = hash & mask
    while (this.#things[slot] !== 0) slot = (slot + 1) & mask
    this.#things[slot] = thing
    this.#hashes[slot] = hash
  }

  #grow(): void {
    const things = this.#things
    const hashes = this.#hashes
    this.#things = new Uint32Array(things.length * 2)
    this.#hashes = new Uint32Array(things.length * 2)
    for (let slot = 0; slot < things.length; slot++) {
      const thing = things[slot] as number
      if (thing !== 0) this.#put(thing, hashes[slot] as number)
    }
  }
}

/** Murmur's mixing (public domain) of each byte, so that the low bits depend on all of them. */
function hashOf(parent: number, bytes: Buffer, start: number, end: number): number {
  let hash = seed ^ Math.imul(parent, 0x9e3779b1)
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ (bytes[at] as number), 0x85ebca6b)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return (hash ^ (hash >>> 13)) >>> 0
}
