import { Command } from '@commander-js/extra-typings'
import type { Explanation } from '../../../client/src/index.js'
import { isLocalSource } from '../../flows/image-location.js'
import { call } from '../call.js'
import { type CommandContext, withStore } from '../context.js'
import { documentsOf, ignoreFileOption, noteOf, vexOption } from '../findings.js'
import { print } from '../output.js'
import { reportWarning } from '../report.js'
import { formatTable } from '../table.js'
import { type Colors, startProgress } from '../terminal.js'
import { evidenceOption, sourceHelp } from './packages.js'

/** `tidemark explain` */
export function explainCommand(context: CommandContext) {
  return withStore(new Command('explain'))
    .description('Say why an image is, or is not, affected by a vulnerability: every record, and the rule that decided')
    .argument('<id>', 'any name of it: CVE-2024-3094, GHSA-…, DSA-…')
    .argument('<source>', sourceHelp)
    .option('--platform <platform>', 'os/arch[/variant]; linux and the architecture of this machine by default')
    .addOption(evidenceOption())
    .addOption(ignoreFileOption())
    .addOption(vexOption())
    .option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER); sources of this machine are read here')
    .addHelpText('after', '\nExamples:\n  tidemark explain CVE-2024-3094 debian:12')
    .action(async (id, source, { output, platform, evidence, ...options }) => {
      const isLocal = isLocalSource(source)
      const where = { ...options, ...(isLocal && { server: undefined }) }
      const here = isLocal
        ? { ...context, environment: { ...context.environment, TIDEMARK_SERVER: undefined } }
        : context
      const documents = documentsOf(where, here)
      const progress = startProgress(context.terminal, Date.now)
      const onProgress = (done: number, of: number) => progress.update(`read ${done} of ${of} layers`)
      const input = { id, source, ...(platform !== undefined && { platform }), ...(evidence && { evidence }) }
      try {
        const body = await call('explain', input, here, { ...where, documents, onProgress })
        progress.end()
        print(body, context, { output }, explainText)
        if (output !== 'json') {
          for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
        }
      } finally {
        progress.end()
      }
    })
}

function explainText({ id, aliases, findings, decisions, snapshot }: Explanation, colors: Colors): string {
  const names = aliases.length === 0 ? id : `${id} (${aliases.join(', ')})`
  const verdicts = findings.map((finding) => {
    const note = noteOf(finding)
    return `  ${finding.package.name} ${finding.installedVersion}: ${finding.severity}${note === '' ? '' : `, ${note}`}`
  })
  const verdict = findings.length === 0 ? ['not among the findings'] : ['among the findings:', ...verdicts]
  const rows = decisions.map(({ advisory, package: found, code, sentence }) => [
    advisory === null ? '-' : `${advisory.source} ${advisory.id}`,
    found === null ? '-' : `${found.name} ${found.version}`,
    code,
    sentence,
  ])
  const table = formatTable(['RECORD', 'PACKAGE', 'RULE', 'WHY'], rows, colors)
  return `${names}: ${verdict.join('\n')}\n\n${table}advisory data of ${snapshot.builtAt}\n`
}
