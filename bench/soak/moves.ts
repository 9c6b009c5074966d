import type { Random } from '../../src/core/clock.js'
import { systemClock } from '../../src/core/clock.js'
import type { Digest } from '../../src/core/digest.js'
import { digestOf } from '../../src/core/digest.js'
import { mediaTypes } from '../../src/core/media-type.js'
import { formatReference, parseTagReference, type TagReference } from '../../src/core/reference.js'
import type { UnrulyRegistry } from './unruly-registry.js'

/** What a tag began to point at; null: at nothing. */
export interface TrueMove {
  readonly digest: Digest | null
  readonly at: number
}

/** A tag of the soak, with the whole truth about it. */
export interface SoakTag {
  readonly registry: UnrulyRegistry
  readonly path: string
  readonly name: string
  /** `path:name` */
  readonly key: string
  readonly reference: TagReference
  /** Oldest first; the first is what it pointed at from the beginning. */
  readonly truth: TrueMove[]
  /** How many entries of the history have been told of. */
  seen: number
}

/** A span in which nothing could be told of a tag. */
export interface Outage {
  readonly tag: SoakTag
  readonly beganAt: number
  /** After so many requests a look has certainly given up. */
  readonly looksFail: number
  endedAt: number | null
}

const tagsPerRepository = 100
const configType = 'application/vnd.oci.image.config.v1+json'
const movesTogether = 20

/** Moves tags by chance, each only when the history has its move before: what moves twice between two looks shows its last state. */
export class Moves {
  readonly tags: readonly SoakTag[]
  readonly byReference: ReadonlyMap<string, SoakTag>
  readonly outages: Outage[] = []
  made = 0
  readonly #random: Random
  readonly #byRepository = new Map<string, SoakTag[]>()

  constructor(registries: readonly UnrulyRegistry[], count: number, random: Random) {
    this.#random = random
    this.tags = Array.from({ length: count }, (_, index) => {
      const registry = registries[index % registries.length] as UnrulyRegistry
      const place = Math.floor(index / registries.length)
      const path = `soak/app-${Math.floor(place / tagsPerRepository)}`
      const name = `1.${place % tagsPerRepository}`
      const reference = parseTagReference(`${registry.address}/${path}:${name}`)
      return { registry, path, name, key: `${path}:${name}`, reference, truth: [], seen: 0 }
    })
    this.byReference = new Map(this.tags.map((tag) => [formatReference(tag.reference), tag]))
    for (const tag of this.tags) {
      const repository = `${tag.registry.address}/${tag.path}`
      const others = this.#byRepository.get(repository) ?? []
      this.#byRepository.set(repository, others)
      others.push(tag)
      this.#push(tag)
    }
    this.made = 0
  }

  /** Moves a tag, or now and then several of a repository at once. @returns how many moved */
  move(): number {
    const tag = this.#pick(this.tags)
    if (this.#random() >= 0.05) return this.#moveOne(tag) ? 1 : 0
    const siblings = this.#byRepository.get(`${tag.registry.address}/${tag.path}`) ?? []
    const many = siblings.slice(0, 1 + Math.floor(this.#random() * movesTogether)).filter((one) => this.#isReady(one))
    for (const one of many) this.#push(one)
    return many.length
  }

  /** Lets some tag that no list tells of fail, whatever it is asked. */
  beginOutage(): void {
    const tag = this.#pick(this.tags)
    if (!this.#isReady(tag) || tag.registry.hasLists || tag.truth.at(-1)?.digest === null) return
    const looksFail = tag.registry.beginOutage(tag.key)
    this.outages.push({ tag, beganAt: systemClock.now(), looksFail, endedAt: null })
  }

  /** Ends outages that have lasted for so long. */
  endOutages(olderThanMs: number): void {
    const now = systemClock.now()
    for (const outage of this.outages) {
      if (outage.endedAt !== null || now - outage.beganAt < olderThanMs) continue
      outage.tag.registry.endOutage(outage.tag.key)
      outage.endedAt = now
    }
  }

  #moveOne(tag: SoakTag): boolean {
    if (!this.#isReady(tag)) return false
    const current = tag.truth.at(-1)?.digest ?? null
    const chance = this.#random()
    const past = [...new Set(tag.truth.flatMap(({ digest }) => digest ?? []))].filter((digest) => digest !== current)
    if (chance < 0.25 && past.length > 0) this.#point(tag, this.#pick(past))
    else if (chance < 0.4 && current !== null) this.#remove(tag)
    else this.#push(tag)
    return true
  }

  #isReady(tag: SoakTag): boolean {
    return tag.seen === tag.truth.length && !this.outages.some((one) => one.tag === tag && one.endedAt === null)
  }

  #push(tag: SoakTag): void {
    const content = `${tag.registry.address} ${tag.key} ${tag.truth.length}`
    const config = { mediaType: configType, digest: digestOf(content), size: content.length }
    const body = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }
    const bytes = Buffer.from(JSON.stringify(body))
    const { digest } = tag.registry.content.putManifest(tag.path, tag.name, mediaTypes.ociManifest, bytes)
    tag.registry.tagOfDigest.set(digest, tag.key)
    this.#tell(tag, digest)
  }

  #point(tag: SoakTag, digest: Digest): void {
    tag.registry.content.repository(tag.path).tags.set(tag.name, digest)
    this.#tell(tag, digest)
  }

  #remove(tag: SoakTag): void {
    tag.registry.content.repository(tag.path).tags.delete(tag.name)
    this.#tell(tag, null)
  }

  #tell(tag: SoakTag, digest: Digest | null): void {
    tag.truth.push({ digest, at: systemClock.now() })
    this.made++
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item
  }
}
