import { Command } from '@commander-js/extra-typings'
import type { Advisories, SnapshotIdentity, SnapshotSource } from '../../core/advisory.js'
import { noCost } from '../../core/cost.js'
import { formatTime } from '../../core/time.js'
import type { AdvisoryImport } from '../../flows/import-advisories.js'
import type { AdvisoryUpdate } from '../../flows/update-advisories.js'
import { compileLess } from '../compile-less.js'
import { type CommandContext, outputOption, withServices } from '../context.js'
import { print, tableOr } from '../output.js'
import { exitCodes, reportWarning } from '../report.js'
import { type Colors, startProgress } from '../terminal.js'

/** `tidemark db` */
export function dbCommand(context: CommandContext) {
  return new Command('db')
    .description('Keep advisory data: which vulnerabilities packages have. Nothing is downloaded unless asked for')
    .addCommand(updateCommand(context))
    .addCommand(importCommand(context))
    .addCommand(statusCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(pullCommand(context))
}

const configHelp = 'tidemark.yaml ($TIDEMARK_CONFIG; by default in the configuration folder)'

function updateCommand(context: CommandContext) {
  return new Command('update')
    .description('Download what has changed; a source that fails keeps what it had, and ends the command with 3')
    .option('--source <name...>', 'only these; docs/sources.md lists them')
    .option('--config <file>', configHelp)
    .addOption(outputOption())
    .addHelpText('after', '\nExamples:\n  tidemark db update\n  tidemark db update --source alpine-secdb --source kev')
    .action(async ({ source: sources = [], config, ...options }) => {
      const { updateAdvisories } = await import('../../flows/update-advisories.js')
      compileLess()
      const update = await working(context, (onProgress) =>
        withServices(context, { config }, (services) =>
          updateAdvisories(services, { sources, cost: noCost(), signal: context.signal, onProgress }),
        ),
      )
      print(updateBody(update), context, options, updateTable)
      if (update.parts.some(({ outcome }) => outcome === 'failed')) context.setExitCode(exitCodes.trouble)
    })
}

function importCommand(context: CommandContext) {
  return new Command('import')
    .description('Add files of advisory data, for machines without internet; what each is, is told by its content')
    .argument('<paths...>', 'files or folders: OSV, secdb, Debian tracker, KEV, EPSS, endoflife; zip, gzip; a snapshot')
    .option('--replace', 'start afresh instead of adding to what is there')
    .option('--config <file>', configHelp)
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  tidemark db import all.zip epss_scores-current.csv.gz\n  tidemark db import --replace mirror/',
    )
    .action(async (paths, { replace, config, ...options }) => {
      const { importAdvisories } = await import('../../flows/import-advisories.js')
      const done = await working(context, (onProgress) =>
        withServices(context, { config }, (services) =>
          importAdvisories(paths, services, {
            ...{ replaces: replace === true, signal: context.signal, onProgress, onLarge: compileLess },
          }),
        ),
      )
      print(importBody(done), context, options, importText)
      if (options.output === 'json') return
      for (const reason of done.reasons) reportWarning(`left out: ${reason}`, context.terminal, context.environment)
      const more = done.refused - done.reasons.length
      if (more > 0) reportWarning(`left out: ${more} more`, context.terminal, context.environment)
    })
}

function statusCommand(context: CommandContext) {
  return new Command('status')
    .description('Show which advisory data there is, and how old')
    .option('--config <file>', configHelp)
    .addOption(outputOption())
    .action(async ({ config, ...options }) => {
      await withServices(context, { config }, async (services) => {
        const advisories = await services.advisories()
        try {
          print(statusBody(advisories), context, options, statusTable)
        } finally {
          advisories.close()
        }
      })
    })
}

function exportCommand(context: CommandContext) {
  return new Command('export')
    .description(
      'Write the advisory data to a file, for `db import` elsewhere; see docs/sources.md for what may be passed on',
    )
    .argument('<file>', 'where to')
    .option('--config <file>', configHelp)
    .addOption(outputOption())
    .action(async (file, { config, ...options }) => {
      const [{ exportSnapshot }, { snapshotPath }] = await Promise.all([
        import('../../flows/put-snapshot.js'),
        import('../../flows/advisory-files.js'),
      ])
      const identity = await withServices(context, { config }, async (services) =>
        exportSnapshot(await snapshotPath(services), file),
      )
      print(identityBody(identity), context, options, ({ id }) => `${id}\n`)
    })
}

function pullCommand(context: CommandContext) {
  return new Command('pull')
    .description('Fetch the advisory data from a registry, where somebody pushed what `db export` wrote')
    .argument('<reference>', 'an OCI artifact with a layer of type application/vnd.tidemark.advisories.v1+sqlite')
    .option('--config <file>', configHelp)
    .addOption(outputOption())
    .action(async (reference, { config, ...options }) => {
      const { pullAdvisories } = await import('../../flows/pull-advisories.js')
      const identity = await working(context, (onProgress) =>
        withServices(context, { config }, (services) =>
          pullAdvisories(reference, services, { cost: noCost(), signal: context.signal, onProgress }),
        ),
      )
      print(identityBody(identity), context, options, ({ id }) => `${id}\n`)
    })
}

async function working<Value>(
  context: CommandContext,
  work: (onProgress: (text: string) => void) => Promise<Value>,
): Promise<Value> {
  const progress = startProgress(context.terminal, Date.now)
  try {
    return await work((text) => progress.update(text))
  } finally {
    progress.end()
  }
}

function identityBody({ id, builtAt }: SnapshotIdentity) {
  return { id, builtAt: formatTime(builtAt) }
}

function updateBody({ identity, parts }: AdvisoryUpdate) {
  return { ...identityBody(identity), parts }
}

function updateTable({ id, parts }: ReturnType<typeof updateBody>, colors: Colors): string {
  const rows = parts.map(({ source, part, outcome, records, failure }) => [
    ...[source, part ?? '-', outcome === 'failed' ? colors.red(outcome) : outcome, String(records), failure ?? ''],
  ])
  return `${tableOr('no source is wanted', ['SOURCE', 'PART', 'OUTCOME', 'RECORDS', 'FAILURE'], rows, colors)}${id}\n`
}

function importBody({ identity, ...told }: AdvisoryImport) {
  return { ...identityBody(identity), ...told }
}

function importText({ id, files, records, refused }: ReturnType<typeof importBody>): string {
  return `${records} records of ${files} ${files === 1 ? 'file' : 'files'}, ${refused} left out\n${id}\n`
}

function statusBody({ identity, ecosystems, sources }: Advisories) {
  return {
    ...identityBody(identity),
    ecosystems,
    sources: sources.map(({ fetchedAt, ...source }: SnapshotSource) => ({
      ...source,
      fetchedAt: fetchedAt === 0 ? null : formatTime(fetchedAt),
    })),
  }
}

function statusTable({ id, builtAt, sources }: ReturnType<typeof statusBody>, colors: Colors): string {
  const rows = sources.map(({ name, part, records, refused, fetchedAt, failure }) => [
    ...[name, part ?? '-', String(records), String(refused), fetchedAt ?? '-', failure ?? ''],
  ])
  const header = ['SOURCE', 'PART', 'RECORDS', 'LEFT OUT', 'FETCHED', 'FAILURE']
  return `${tableOr('it holds nothing', header, rows, colors)}${id} of ${builtAt}\n`
}
