import { Command } from '@commander-js/extra-typings'
import { type CommandContext, withStore } from '../context.js'

/** `tidemark doctor` */
export function doctorCommand(context: CommandContext) {
  return withStore(new Command('doctor'))
    .description('Say where it goes wrong between this machine and a registry, and the way out')
    .argument('<target>', '[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], or HOST[:PORT] alone, which tells less')
    .addHelpText(
      'after',
      `
One line each, in this order:
  name   does the name resolve, and to what; is there a proxy
  tls    is the connection made; whose certificate, until when
  auth   what the registry asks for, which credential was found where, is it taken
  head   what a look at the tag costs: HEAD, digest, 304
  list   tags/list, and the registry's own list that carries digests
  quota  what the registry says of its limits, and what watching takes of them
  clock  do both clocks agree

Each is ok, warning, failed or skipped, is given 10 seconds, and shows no secret. It runs here, whatever
server is set: it is this machine's view. Nothing that it learns is kept. A name without a dot and a
slash (registry:5000) is an image of Docker Hub; as a host it ends with a slash (registry:5000/).

Exit codes: 0 nothing failed; 3 something failed; 2 wrong usage or configuration.

Examples:
  tidemark doctor ghcr.io/org/app:1.2
  tidemark doctor registry.example.com:5000
  tidemark doctor nginx:1.27 -o json`,
    )
    .action(async (target, options) => {
      const { runDoctor } = await import('../run-doctor.js')
      await runDoctor(target, options, context)
    })
}
