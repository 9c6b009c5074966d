import { Command, Option } from '@commander-js/extra-typings'
import { type CommandContext, withStoreOptions } from '../context.js'

/** `tidemark pin` */
export function pinCommand(context: CommandContext) {
  return withStoreOptions(new Command('pin'))
    .description('Write the digests of tags beside them: FROM name:tag@sha256:…; pins that are there stay')
    .argument(
      '<paths...>',
      'Dockerfiles, compose files, Kubernetes manifests, Helm values, workflows, or folders of them',
    )
    .option('--update', 'move pins too, to what their tags are now')
    .option('--check', 'write nothing; end with 1 when a digest is missing or behind')
    .option('--diff', 'write nothing; print a unified diff, which `git apply` takes')
    .option('--drop-tag', 'write name@sha256:… without the tag; such a pin cannot be moved later')
    .addOption(
      new Option('--as-of <time>', 'pin to what the tags were then: 2026-05-01, 2026-05-01T12:00:00Z').conflicts(
        'minAge',
      ),
    )
    .option('--min-age <duration>', 'pin to the newest digests that tags had for so long already: 3d, 12h')
    .option('--server <url>', 'take what tags were from the history of a Tidemark server ($TIDEMARK_SERVER)')
    .option('--with-diff', 'say what each moved pin changes: packages, vulnerabilities (reads the images)')
    .addOption(
      new Option('-o, --output <form>', 'form of the data on stdout')
        .choices(['table', 'json', 'markdown'] as const)
        .default('table' as const),
    )
    .addHelpText(
      'after',
      `
--as-of and --min-age ask the history of watched tags, here or with --server, then one that the registry
keeps (Quay, cgr.dev, a Tidemark server); where there is none, nothing is written for that tag.

Exit codes: 0 done; 1 \`--check\`: a digest is missing or behind; 2 wrong usage, or something could
not be pinned or read (a registry that failed is told so), and everything else was.

Examples:
  tidemark pin Dockerfile
  tidemark pin . --update --diff
  tidemark pin . --check                         a gate, or a pre-commit hook
  tidemark pin . --update --min-age 3d --with-diff -o markdown > pull-request.md`,
    )
    .action(async (paths, options) => {
      const { runPin } = await import('../run-pin.js')
      await runPin(paths, options, context)
    })
}
