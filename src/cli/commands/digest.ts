import { Command } from '@commander-js/extra-typings'
import { call } from '../call.js'
import { type CommandContext, withCommon } from '../context.js'
import { print } from '../output.js'

/** `tidemark digest` */
export function digestCommand(context: CommandContext) {
  return withCommon(new Command('digest'))
    .description('Print the digest that a reference points at: one HEAD, no pull')
    .argument(
      '<reference>',
      '[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], or REF@{1}, REF@{2026-05-01}, REF@{7d} from history',
    )
    .option('--platform <platform>', "of that platform's manifest instead of the index: os/arch[/variant]")
    .addHelpText(
      'after',
      `
Exit codes: 0 done; 2 wrong usage or input; 3 the registry, the network or the disk failed.

Examples:
  tidemark digest nginx:1.27
  tidemark digest ghcr.io/org/app:1.2 --platform linux/arm64
  tidemark digest 'nginx:1.27@{1}'        what it was one move ago (watched tags)`,
    )
    .action(async (reference, options) => {
      const omitPlatforms = options.output === 'table' && options.platform === undefined
      const input = {
        reference,
        ...(options.platform !== undefined && { platform: options.platform }),
        ...(omitPlatforms && { omitPlatforms }),
      }
      print(await call('digest', input, context, options), context, options, ({ digest }) => `${digest}\n`)
    })
}
