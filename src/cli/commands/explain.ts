import { Command } from '@commander-js/extra-typings'
import type { Explanation, Finding } from '../../../client/src/index.js'
import { oneLine } from '../../core/fault.js'
import { callOnImages } from '../call-on-images.js'
import { type CommandContext, withStore } from '../context.js'
import { ignoreFileOption, noteOf, vexOption } from '../findings.js'
import { print } from '../output.js'
import { reportWarning } from '../report.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'
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
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 2 wrong usage, or no advisory data; 3 the registry, the network or the disk failed.

Examples:
  tidemark explain CVE-2024-3094 debian:12`,
    )
    .action(async (id, source, { output, platform, evidence, ...options }) => {
      const input = { id, source, ...(platform !== undefined && { platform }), ...(evidence && { evidence }) }
      const body = await callOnImages('explain', [source], input, context, options)
      print(body, context, { output }, (shown, colors) => explainText(shown, options.ignoreFile, colors))
      if (output !== 'json') {
        for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
      }
    })
}

function explainText(
  { id, aliases, findings, decisions, snapshot }: Explanation,
  ignoreFile: string | undefined,
  colors: Colors,
): string {
  const named = oneLine(id)
  const names = aliases.length === 0 ? named : `${named} (${aliases.join(', ')})`
  const verdicts = findings.map((finding) => {
    const note = noteOf(finding)
    return `  ${finding.package.name} ${finding.installedVersion}: ${finding.severity}${note === '' ? '' : `, ${note}`}`
  })
  const verdict = findings.length === 0 ? ['not among the findings'] : ['among the findings:', ...verdicts]
  const records = decisions.map(({ advisory, package: found, code, sentence }) => [
    advisory === null ? '-' : `${advisory.source} ${advisory.id}`,
    found === null ? '-' : `${found.name} ${found.version}`,
    code,
    sentence,
  ])
  const rows = [...records, ...findings.flatMap((finding) => documentRows(finding, ignoreFile))]
  const table = formatTable(['RECORD', 'PACKAGE', 'RULE', 'WHY'], rows, colors)
  return `${names}: ${verdict.join('\n')}\n\n${table}advisory data of ${snapshot.builtAt}\n`
}

/** What decided besides the advisories, which alone would have called it affected: a VEX statement, a line of the ignore file. */
function documentRows({ package: found, installedVersion, vex, ignored }: Finding, ignoreFile = ''): string[][] {
  const name = `${found.name} ${installedVersion}`
  const rows: string[][] = []
  if (vex !== null) {
    const said = [vex.author, vex.justification, vex.statement].filter((part) => part !== null && part !== '')
    rows.push([`VEX ${oneLine(vex.document)}`, name, vex.status, oneLine(said.join(': '))])
  }
  if (ignored !== null) {
    const said = [ignored.reason ?? 'no reason is given', ignored.until !== null && `until ${ignored.until}`]
    rows.push([`ignore file ${oneLine(ignoreFile)}`.trimEnd(), name, 'ignored', said.filter(Boolean).join('; ')])
  }
  return rows
}
