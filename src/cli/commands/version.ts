import { Command } from '@commander-js/extra-typings'
import { version } from '../../version.js'
import { type CommandContext, outputOption } from '../context.js'
import { print } from '../output.js'

/** `tidemark version` */
export function versionCommand(context: CommandContext) {
  return new Command('version')
    .description('Print the version')
    .addOption(outputOption())
    .action((options) => {
      const body = { version, node: process.versions.node, platform: `${process.platform}/${process.arch}` }
      print(body, context, options, () => `tidemark ${version}\n`)
    })
}
