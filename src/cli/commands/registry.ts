import { Command } from '@commander-js/extra-typings'
import type { CommandContext } from '../context.js'

/** `tidemark registry` */
export function registryCommand(context: CommandContext) {
  return new Command('registry')
    .description('A registry to try things with: in memory, with sample images, misbehaving by script')
    .addCommand(serveCommand(context))
}

function serveCommand(context: CommandContext) {
  return new Command('serve')
    .description('Serve sample images on loopback, until Ctrl-C')
    .option('--listen <address>', 'HOST:PORT; port 0 takes any free one', '127.0.0.1:5000')
    .option('--script <file>', 'how it behaves and misbehaves: YAML (docs/test-registry.md)')
    .option('--tls-cert <file>', 'serve https with this certificate (PEM)')
    .option('--tls-key <file>', 'and this key (PEM)')
    .addHelpText(
      'after',
      `
Its controls: POST /_test/move?tag=library/alpine:3.10 moves a tag to its next sample, GET /_test/requests shows what was
asked, DELETE /_test/requests forgets it.

Examples:
  tidemark registry serve
  tidemark registry serve --listen 127.0.0.1:0 --script slow.yaml
  curl -X POST 'http://127.0.0.1:5000/_test/move?tag=library/alpine:3.10'`,
    )
    .action(async (options) => {
      const { runRegistry } = await import('../run-registry.js')
      await runRegistry(options, context)
    })
}
