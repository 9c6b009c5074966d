import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Random } from '../../src/core/clock.js'

/** One tag's real history: when it was first seen, and when it moved since, in milliseconds since the epoch. */
export interface TagMoves {
  readonly name: string
  readonly repository: string
  readonly firstAt: number
  readonly moves: readonly number[]
}

interface Assignment {
  readonly updateTimestamp: string
}

interface Release {
  readonly date: string
  readonly updates: readonly { readonly tags: readonly string[] }[]
}

/** The histories of a folder of shared data: 266 tags by architecture, the base images, and Oracle Linux from its changelog. */
export function readHistories(shared: string): { tags: TagMoves[]; bases: TagMoves[]; oracle: TagMoves[] } {
  const folder = join(shared, 'data/tag-history/docker-library')
  const byTag = JSON.parse(gunzipSync(readFileSync(join(folder, 'tag-digests-by-arch.json.gz'))).toString()) as Record<
    string,
    Record<string, readonly Assignment[]>
  >
  const bases = JSON.parse(readFileSync(join(folder, 'base-image-observations.json'), 'utf8')) as Record<
    string,
    { history: readonly Assignment[] }
  >
  return {
    // The index of a tag is another as soon as one architecture's manifest is: a move of the tag is a move of any.
    tags: Object.entries(byTag).map(([name, byArchitecture]) => movesOf(name, Object.values(byArchitecture).flat())),
    bases: Object.entries(bases).map(([name, { history }]) => movesOf(name, history)),
    oracle: readReleases(join(shared, 'data/tag-history/oraclelinux/changelog-facts.json')),
  }
}

/** Dates without a time: a move has happened by the end of its day. The last two years, which is enough to learn from. */
function readReleases(file: string): TagMoves[] {
  const byTag = new Map<string, Assignment[]>()
  for (const { date, updates } of JSON.parse(readFileSync(file, 'utf8')) as Release[]) {
    if (date < '2023-01-01') continue
    for (const name of updates.flatMap(({ tags }) => tags)) {
      byTag.set(name, [...(byTag.get(name) ?? []), { updateTimestamp: `${date}T23:59:59Z` }])
    }
  }
  return [...byTag].map(([name, assignments]) => movesOf(name, assignments))
}

function movesOf(name: string, assignments: readonly Assignment[]): TagMoves {
  const times = [...new Set(assignments.map(({ updateTimestamp }) => Date.parse(updateTimestamp)))].sort(
    (a, b) => a - b,
  )
  const [firstAt = 0, ...moves] = times
  return { name, repository: name.split(':')[0] ?? name, firstAt, moves }
}

/**
 * The same with each move at its own time within `spanMs` before the recorded one, but after the record before it: a record
 * says only that it had happened by then.
 */
export function spread(tags: readonly TagMoves[], spanMs: number, random: Random): TagMoves[] {
  const records = [...new Set(tags.flatMap((tag) => [tag.firstAt, ...tag.moves]))].sort((a, b) => a - b)
  const before = new Map(records.map((at, index) => [at, records[index - 1] ?? at]))
  return tags.map((tag) => ({
    ...tag,
    moves: tag.moves.map(
      (at) => at - Math.floor(random() * Math.max(0, Math.min(spanMs, at - (before.get(at) ?? at) - 1))),
    ),
  }))
}
