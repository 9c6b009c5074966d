import { Command, Option } from '@commander-js/extra-typings'
import type { PackageList } from '../../../client/src/index.js'
import type { Inventory } from '../../core/inventory.js'
import type { Package } from '../../core/package.js'
import { packagesFormats } from '../../format/list.js'
import { callOnImages } from '../call-on-images.js'
import { type CommandContext, withStoreOptions } from '../context.js'
import { print, tableOr } from '../output.js'
import { reportWarning } from '../report.js'
import type { Colors } from '../terminal.js'

/** What sources there are, for help texts. */
export const sourceHelp =
  'a reference, REF@{1}, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE[:TAG], dir:ROOTFS or sbom:FILE'

/** `--evidence` */
export function evidenceOption() {
  return new Option(
    '--evidence <what>',
    'what the packages rest on: auto takes an SBOM that the index names for the image (in a diff only where both sides have one of the same tool), else the layers; sbom asks for attached ones too',
  ).choices(['auto', 'layers', 'sbom'] as const)
}

/** `tidemark packages` */
export function packagesCommand(context: CommandContext) {
  return withStoreOptions(new Command('packages'))
    .description('List the packages of an image, each with what says so; nothing is pulled or written to disk whole')
    .argument('<source>', sourceHelp)
    .option('--platform <platform>', 'os/arch[/variant]; linux and the architecture of this machine by default')
    .addOption(evidenceOption())
    .addOption(
      new Option('-o, --output <form>', 'form of the data on stdout')
        .choices(['table', 'json', 'purl', 'spdx', 'cyclonedx'] as const)
        .default('table' as const),
    )
    .option('--server <url>', 'run it on a Tidemark server ($TIDEMARK_SERVER); sources of this machine are read here')
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 2 wrong usage or input; 3 the registry, the network or the disk failed.

Examples:
  tidemark packages debian:12 --platform linux/arm64
  tidemark packages docker-archive:image.tar -o json
  tidemark packages 'nginx:1.27@{1}' -o purl`,
    )
    .action(async (source, { output, platform, evidence, ...options }) => {
      const input = { source, ...(platform !== undefined && { platform }), ...(evidence && { evidence }) }
      const body = await callOnImages('packages', [source], input, context, options)
      const form = packagesFormats.find(({ name }) => name === output)
      if (form === undefined) print(body, context, { output: output === 'json' ? 'json' : 'table' }, packagesTable)
      else context.terminal.stdout.write(form.write(inventoryOf(body)))
      if (output !== 'json')
        for (const warning of body.warnings) reportWarning(warning, context.terminal, context.environment)
    })
}

function packagesTable({ packages }: PackageList, colors: Colors): string {
  const rows = packages.map(({ type, name, version, architecture, licenses, ownedBy }) => [
    type,
    name,
    version,
    architecture ?? '-',
    licenses.join(', ') || '-',
    ownedBy ?? '',
  ])
  return tableOr('no packages were found', ['TYPE', 'NAME', 'VERSION', 'ARCH', 'LICENSES', 'OWNED BY'], rows, colors)
}

/** What the forms are made from: the body holds all of it that they show. */
function inventoryOf({ image, distribution, evidence, packages, complete, warnings }: PackageList): Inventory {
  return {
    image: image as Inventory['image'],
    distribution: distribution === null ? null : { ...distribution, idLike: [], codename: null, name: distribution.id },
    ...{ evidence, complete, warnings },
    packages: packages as Package[],
  }
}
