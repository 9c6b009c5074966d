/**
 * What the planner gains: `npm run bench -- planner [--rounds 3]`. Real histories of 266 tags of docker-library (and of base images,
 * and of Oracle Linux) are played to a watcher at a fixed interval and to the planner, with as many looks. Printed: the mean
 * time from a move to the first look after it, of the fixed interval divided by that of the planner, and moves that were
 * overwritten before any look. Each round has other phases (and other spread times), and the rounds are added up.
 *
 * Judged is a later part of each history only. The planner begins with the first record and learns from what its own looks have
 * found; the constants of its model were chosen on what lies before the first split. `tags alone` takes each tag for a repository of its
 * own, `repositories` those of the data, and `planner` is all of it, with looks at siblings. `hindsight` knows each tag's moves of the
 * judged part and plans once: the best that intervals which never change can be, but it knows nothing of bursts. Each line says how many
 * looks were used; those of `hindsight`, and of `tags alone` at long intervals, are more than the fixed interval's, which flatters them.
 *
 * When a tag moved is not known exactly: a record is a commit of the builders' repository, hours apart, and many tags move in one. As
 * recorded, tags that share a commit move at one moment, which flatters looks at siblings: in truth their pushes take minutes to
 * hours. So each move is also put at its own random time within the hour before its record (pushes of one rebuild), and anywhere
 * between its record and the one before (independent of each other: the worst case for siblings). The last is the
 * figure to trust as a floor, the first is the most that could be. A tag of the data has a digest for each architecture; its index moves as
 * soon as one does. It is watched from its first record on, and never removed.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/core/random.js'
import { LanePlan } from '../src/plan/lane-plan.js'
import { readHistories, spread, type TagMoves } from './planner/histories.js'
import { hindsight, lookFixed, lookPlanned, type Score, type Span, scores } from './planner/simulate.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })
const rounds = Number(values.rounds)
const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000]
const spreads: readonly [name: string, spanMs: number][] = [
  ['as recorded', 0],
  ['within 1 h', hourMs],
  ['anywhere', Number.POSITIVE_INFINITY],
]
const ways = {
  'tags alone': { hasEarlyLooks: false, hasGroups: false },
  repositories: { hasEarlyLooks: false, hasGroups: true },
  planner: { hasEarlyLooks: true, hasGroups: true },
} as const

const shared = process.env.TIDEMARK_SHARED ?? '../shared'
if (!existsSync(shared)) {
  console.log('skipped: no shared data, which TIDEMARK_SHARED names')
  process.exit()
}
const histories = readHistories(shared)
const library = [Date.UTC(2023, 8, 17), Date.UTC(2023, 9, 8)].map((fromMs) => ({ fromMs, toMs: Date.UTC(2023, 10, 8) }))
const oracle = [{ fromMs: Date.UTC(2024, 0, 1), toMs: Date.UTC(2025, 0, 1) }]
for (const everyMs of [5 * minuteMs, 60 * minuteMs]) {
  for (const [name, spanMs] of spreads) compare('docker-library', histories.tags, library, everyMs, [name, spanMs])
  compare('base images', histories.bases, library, everyMs, ['within 1 h', hourMs])
  compare('Oracle Linux', histories.oracle, oracle, everyMs, ['within the day', dayMs])
}
cost()

function compare(
  data: string,
  tags: readonly TagMoves[],
  spans: readonly Span[],
  everyMs: number,
  [name, spanMs]: readonly [string, number],
): void {
  const fixed = scores(spans)
  const known = scores(spans)
  const planned = Object.keys(ways).map(() => scores(spans))
  for (let round = 0; round < rounds; round++) {
    const moved = spread(tags, spanMs, seededRandom(round)).map((tag) => ({ ...tag, name: `${tag.name}#${round}` }))
    lookFixed(moved, fixed, () => everyMs)
    for (const score of known) lookFixed(moved, [score], hindsight(moved, score, everyMs))
    for (const [index, options] of Object.values(ways).entries())
      lookPlanned(moved, planned[index] ?? [], { everyMs, ...options })
  }
  for (const [index, base] of fixed.entries())
    print(`${data}, ${everyMs / minuteMs} min, moves ${name}`, base, [
      ['hindsight', known[index]],
      ...Object.keys(ways).map((way, place) => [way, planned[place]?.[index]] as const),
    ])
}

function print(title: string, fixed: Score, others: readonly (readonly [string, Score | undefined])[]): void {
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  const shown = (score: Score) => `${(score.delayMs / score.moves / 1_000).toFixed(0)} s, missed ${score.missed}`
  console.log(`${title}, from ${day(fixed.fromMs)}: ${fixed.moves} moves; fixed ${shown(fixed)}`)
  for (const [name, score] of others) {
    if (score === undefined) continue
    const gain = fixed.delayMs / fixed.moves / (score.delayMs / score.moves)
    const looks = `${((100 * score.looks) / fixed.looks).toFixed(1)} % of the looks`
    console.log(`  ${name.padEnd(12)} ${gain.toFixed(2)} x   ${shown(score)}   ${looks}`)
  }
}

/** 100,000 tags of 2,000 repositories, with ten moves each on the mean: the first plan, and one after some moves. */
function cost(): void {
  const plan = new LanePlan({ everyMs: 5 * minuteMs, minEveryMs: minuteMs, budget: null })
  const random = seededRandom(1)
  const begin = Date.UTC(2026, 0, 1)
  for (let index = 0; index < 100_000; index++) {
    const place = plan.add({ group: `repository-${index % 2_000}`, everyMs: null, sinceMs: begin })
    for (let move = Math.floor(20 * random() ** 3); move > 0; move--)
      plan.remember(place, begin + random() * 90 * dayMs)
  }
  const times: number[] = []
  for (let round = 0; round < 20; round++) {
    const now = begin + 90 * dayMs + round * 5 * minuteMs
    for (let move = 0; move < 20; move++) plan.moved(Math.floor(random() * 100_000), now)
    const started = performance.now()
    plan.replan(now)
    times.push(performance.now() - started)
  }
  const first = times.shift() ?? 0
  times.sort((a, b) => a - b)
  console.log(
    `a plan of 100,000 tags: first ${first.toFixed(0)} ms, then ${times[9]?.toFixed(0)} ms median, ${times.at(-1)?.toFixed(0)} ms at most`,
  )
}
