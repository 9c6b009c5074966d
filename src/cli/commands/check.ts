import { Command } from '@commander-js/extra-typings'
import type { CheckReport, CheckResult } from '../../../client/src/index.js'
import { type Digest, shortDigest } from '../../core/digest.js'
import { Fault } from '../../core/fault.js'
import { call } from '../call.js'
import { type CommandContext, withStore } from '../context.js'
import { print } from '../output.js'
import { readLines } from '../read-input.js'
import { exitCodes } from '../report.js'
import { formatTable } from '../table.js'
import { type Colors, startProgress } from '../terminal.js'

/** `tidemark check` */
export function checkCommand(context: CommandContext) {
  return withStore(new Command('check'))
    .description('Tell whether tags moved since the last check')
    .argument('[references...]', '[HOST[:PORT]/]REPOSITORY[:TAG]')
    .option('-f, --file <file>', 'read references from a file, one a line, # for comments; - for stdin')
    .option(
      '--store <url>',
      'where digests are kept: file:PATH, redis://…, rediss://…, etcd://…, etcds://… ($TIDEMARK_STORE; by default check.json in the data folder)',
    )
    .option('--once', 'of checks that run at once on one store, tell only one that a tag moved, or is new')
    .option('--since <digest>', 'compare with this digest instead of a store')
    .addHelpText(
      'after',
      `
Exit codes:
  0   nothing moved (a tag that is new counts as not moved)
  10  something moved, or a known tag is gone
  20  something is unknown, or a tag was never there (20 wins)
  2   wrong usage or input
  3   the disk failed, or the state file is damaged: it is kept aside, and the next check begins afresh

Of a store on another machine, user and password are in its URL, or TIDEMARK_STORE_USER and
TIDEMARK_STORE_PASSWORD; docs/check.md has the rest.

Examples:
  tidemark check nginx:1.27 alpine:3.20
  tidemark check -f images.txt --store file:.tidemark.json
  tidemark check -f images.txt --store 'rediss://cache.example.com?ttl=30d' --once
  tidemark check nginx:1.27 --since sha256:… && echo still the same`,
    )
    .action(async (references, options) => {
      const wanted = [...references, ...(options.file === undefined ? [] : await readLines(options.file))]
      if (wanted.length === 0) {
        throw new Fault('invalid-argument', 'no reference to check', { fix: 'Name at least one, or give -f FILE.' })
      }
      const progress = startProgress(context.terminal, Date.now)
      const { since, once } = options
      const input = { reference: wanted, ...(since !== undefined && { since }), ...(once && { once }) }
      const onProgress = (done: number, of: number) => progress.update(`checked ${done} of ${of}`)
      const { store, database, config, cost } = options
      try {
        // A check runs here, with the digests of this machine, whatever server is set.
        const environment = { ...context.environment, TIDEMARK_SERVER: undefined }
        const report = await call(
          'check',
          input,
          { ...context, environment },
          { database, config, cost, digestStore: store, onProgress },
        )
        progress.end()
        print(report, context, options, checkTable)
        context.setExitCode(exitCodeOf(report.results))
      } finally {
        progress.end()
      }
    })
}

/** See the help text. */
export function exitCodeOf(results: readonly CheckResult[]): number {
  const isUnknown = ({ status, previousDigest }: CheckResult) =>
    status === 'unknown' || (status === 'absent' && previousDigest === null)
  if (results.some(isUnknown)) return exitCodes.unknown
  return results.some(({ status }) => status === 'moved' || status === 'absent') ? exitCodes.moved : exitCodes.done
}

function checkTable({ results }: CheckReport, colors: Colors): string {
  const paint = { same: colors.dim, new: colors.cyan, moved: colors.yellow, absent: colors.red, unknown: colors.red }
  const short = (digest: string | null) => (digest === null ? '-' : shortDigest(digest as Digest))
  return formatTable(
    ['STATUS', 'REFERENCE', 'WAS', 'IS', 'REASON'],
    results.map(({ status, reference, previousDigest, digest, reason }) => [
      paint[status](status),
      reference,
      short(previousDigest),
      short(digest),
      reason ?? '',
    ]),
    colors,
  )
}
