/**
 * The soak: `npm run soak -- [--seed 7] [--tags 10000] [--seconds 120] [--every SECONDS] [--kills 2] [--errors 0.05]`. `tidemark serve`
 * watches tags on four registries on loopback (with and without Bearer tokens, with and without lists that carry digests) that
 * move by chance, away and back, are removed and made again, one by one and many at once. Of the requests 5 % are answered with an error,
 * a proxy's page, a broken connection, half an answer, or slowly; now and then a host asks to be left alone; the watcher is killed
 * and another is started on its database. All chance comes from the seed.
 *
 * A tag moves again only when the history has its move before, so the verdict is exact: each tag's history must be what happened, in
 * order, with its kinds, and dated between two looks; each gap must have a cause, and each time when a tag could not be asked must
 * be a gap; nothing may be asked of a host before the end of the time that it asked for. Exits with 1, and the seed, where anything differs.
 */
import { parseArgs } from 'node:util'
import { runSoak, type SoakReport } from './soak.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    tags: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '120' },
    every: { type: 'string' },
    kills: { type: 'string', default: '2' },
    errors: { type: 'string', default: '0.05' },
  },
})
const seed = Number(values.seed)
const tags = Number(values.tags)
/** Some 400 tags a second are a load that two cores carry with the registries beside it. */
const everySeconds = values.every === undefined ? Math.max(2, Math.ceil(tags / 400)) : Number(values.every)

console.log(`seed ${seed}`)
const report = await runSoak({
  ...{ seed, tags, seconds: Number(values.seconds), everyMs: everySeconds * 1_000 },
  ...{ errorShare: Number(values.errors), kills: Number(values.kills) },
  say: (text) => console.log(text),
})
print(report)
const isRight = report.faults.length === 0 && report.undercuts.length === 0
console.log(isRight ? `all is as it was (seed ${seed})` : `NOT as it was: repeat with --seed ${seed}`)
process.exit(isRight ? 0 : 1)

function print(of: SoakReport): void {
  const rows: [string, string | number][] = [
    ['looks', of.looks],
    ['lists', of.lists],
    ['requests', of.requests],
    ['tags seen, and moves', `${tags} + ${of.made}`],
    ['found', of.found],
    ['missed', of.missed],
    ['invented', of.invented],
    ['answers that failed', of.errors],
    ['times without answers', of.outages],
    ['asked to wait', of.pauses],
    ['  in flight then', of.inFlight],
    ['  undercut', of.undercuts.length],
    ['kills', of.kills],
    ['mean time to detection', `${(of.meanDetectionMs / 1_000).toFixed(1)} s`],
  ]
  for (const [name, value] of rows) console.log(`${name.padEnd(26)}${String(value).padStart(16)}`)
  const faults = [...of.faults, ...of.undercuts]
  for (const fault of faults.slice(0, 20)) console.log(fault)
  if (faults.length > 20) console.log(`and ${faults.length - 20} more`)
  for (const line of of.log) console.log(`watcher: ${line}`)
}
