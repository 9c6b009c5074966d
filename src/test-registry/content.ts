import { type Digest, digestOf } from '../core/digest.js'
import { isTag } from '../core/reference.js'
import type { BuiltImage } from './build-image.js'

/** A manifest as it is served. */
export interface StoredManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** One repository of the registry. */
export interface RepositoryContent {
  readonly tags: Map<string, Digest>
  readonly manifests: Map<Digest, StoredManifest>
  readonly blobs: Map<Digest, Uint8Array>
}

/** What the registry holds, in memory. */
export class Content {
  readonly #repositories = new Map<string, RepositoryContent>()
  /** What a tag serves next, by `repository:tag`. */
  readonly #waiting = new Map<string, BuiltImage[]>()

  /** The repository of that name, if there is one. */
  find(name: string): RepositoryContent | undefined {
    return this.#repositories.get(name)
  }

  /** The repository of that name, made if there is none. */
  repository(name: string): RepositoryContent {
    let repository = this.#repositories.get(name)
    if (repository === undefined) {
      repository = { tags: new Map(), manifests: new Map(), blobs: new Map() }
      this.#repositories.set(name, repository)
    }
    return repository
  }

  /** Names of all repositories, sorted. */
  names(): string[] {
    return [...this.#repositories.keys()].sort()
  }

  /** Puts a manifest into a repository, and under a tag if one is given. */
  putManifest(name: string, reference: string, mediaType: string, bytes: Uint8Array): StoredManifest {
    const repository = this.repository(name)
    const manifest = { digest: digestOf(bytes), mediaType, bytes }
    repository.manifests.set(manifest.digest, manifest)
    if (isTag(reference)) repository.tags.set(reference, manifest.digest)
    return manifest
  }

  /** Puts an image with everything below it under `tag` (`repository:tag`). */
  putImage(tag: string, image: BuiltImage): void {
    const [name, reference] = splitTag(tag)
    const repository = this.repository(name)
    const add = (part: BuiltImage) => {
      repository.manifests.set(part.digest, part)
      for (const [digest, bytes] of part.blobs) repository.blobs.set(digest, bytes)
      part.children.forEach(add)
    }
    add(image)
    repository.tags.set(reference, image.digest)
  }

  /** Serves the first of `versions` under `tag`, and lets {@link Content.move} go through the others. */
  putVersions(tag: string, versions: readonly BuiltImage[]): void {
    const [first, ...others] = versions
    if (first !== undefined) this.putImage(tag, first)
    this.#waiting.set(tag, others)
  }

  /** Moves `tag` to its next version and gives the new digest; undefined when there is none left. */
  move(tag: string): Digest | undefined {
    const next = this.#waiting.get(tag)?.shift()
    if (next !== undefined) this.putImage(tag, next)
    return next?.digest
  }
}

/** `repository:tag` in two. */
export function splitTag(tag: string): [repository: string, tag: string] {
  const colon = tag.lastIndexOf(':')
  return [tag.slice(0, colon), tag.slice(colon + 1)]
}
