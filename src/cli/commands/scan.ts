import { Command, Option } from '@commander-js/extra-typings'
import type { ScanReport } from '../../../client/src/index.js'
import type { ScanReport as CoreReport } from '../../core/finding.js'
import { scanFormats } from '../../format/list.js'
import { gateScan } from '../../vuln/gate.js'
import { callOnImages } from '../call-on-images.js'
import { type CommandContext, withStoreOptions } from '../context.js'
import {
  allowPartialOption,
  canJudge,
  countsOf,
  evidenceFor,
  failOnOption,
  ignoreFileOption,
  noteOf,
  paintSeverity,
  rulesOf,
  tellGate,
  tellPartial,
  vexOption,
} from '../findings.js'
import { print } from '../output.js'
import { reportWarning } from '../report.js'
import { formatTable } from '../table.js'
import type { Colors } from '../terminal.js'
import { evidenceOption, sourceHelp } from './packages.js'

/** `tidemark scan` */
export function scanCommand(context: CommandContext) {
  return withStoreOptions(new Command('scan'))
    .description('Say which vulnerabilities the packages of an image are known to have')
    .argument('<source>', sourceHelp)
    .option('--platform <platform>', 'os/arch[/variant]; linux and the architecture of this machine by default')
    .addOption(evidenceOption())
    .addOption(failOnOption('any: by default; layers are then read, unless --evidence sbom'))
    .addOption(ignoreFileOption())
    .addOption(vexOption())
    .addOption(allowPartialOption())
    .addOption(
      new Option('-o, --output <form>', 'form of the data on stdout')
        .choices(['table', 'json', 'sarif', 'cyclonedx', 'markdown', 'github'] as const)
        .default('table' as const),
    )
    .option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER); sources of this machine are read here')
    .addHelpText(
      'after',
      `
Needs advisory data: \`tidemark db update\`. Exit codes: 0 done; 1 a rule was hit;
2 wrong usage, no advisory data, or a result that is not complete; 3 the registry,
the network or the disk failed.

Examples:
  tidemark scan nginx:1.27 --fail-on fixable:high,kev
  tidemark scan docker-archive:image.tar -o sarif > findings.sarif
  tidemark scan debian:12 --vex vendor.openvex.json --ignore-file .vulnignore`,
    )
    .action(async (source, { output, platform, evidence, ...options }) => {
      const rules = rulesOf(options.failOn, 'scan')
      const wish = evidenceFor(rules, evidence)
      const input = { source, ...(platform !== undefined && { platform }), ...(wish && { evidence: wish }) }
      const body = await callOnImages('scan', [source], input, context, options)
      const form = scanFormats.find(({ name }) => name === output)
      if (form === undefined) print(body, context, { output: output === 'json' ? 'json' : 'table' }, scanTable)
      else context.terminal.stdout.write(form.write(body as CoreReport))
      if (output !== 'json') {
        for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
      }
      const result = gateScan(rules, (body as CoreReport).findings)
      tellGate(result, context)
      const isJudged = canJudge(rules, body.snapshot.sources, context)
      tellPartial(body.complete && isJudged, options, result.broken.length > 0, context)
    })
}

function scanTable({ findings, complete, snapshot }: ScanReport, colors: Colors): string {
  const rows = findings.map((finding) => [
    paintSeverity(finding.severity, colors),
    finding.id,
    finding.package.name,
    finding.installedVersion,
    finding.fixedVersion ?? (finding.fixState === 'open' ? '-' : (finding.fixState ?? '-')),
    noteOf(finding),
  ])
  const header = ['SEVERITY', 'ID', 'PACKAGE', 'INSTALLED', 'FIXED IN', 'NOTE']
  const table = rows.length === 0 ? '' : `${formatTable(header, rows, colors)}\n`
  const holes = complete ? '' : ' (not complete)'
  return `${table}findings: ${countsOf(findings)}${holes}\nadvisory data of ${snapshot.builtAt}\n`
}
