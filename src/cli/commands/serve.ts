import { Command } from '@commander-js/extra-typings'
import type { CommandContext } from '../context.js'

/** `tidemark serve` */
export function serveCommand(context: CommandContext) {
  return new Command('serve')
    .description('Watch tags and serve their history: the API, events and metrics')
    .option('--listen <address>', 'HOST:PORT; port 0 takes any free one', '127.0.0.1:7070')
    .option(
      '--database <url>',
      'sqlite:PATH or postgres://… ($TIDEMARK_DATABASE; by default a file in the data folder)',
    )
    .option('--public-url <url>', 'what clients call this server: issuer and audience of its tokens (http://LISTEN)')
    .option(
      '--host <names>',
      'what clients call its three surfaces, in place of --public-url: PLATFORM,ISSUER,REGISTRY',
    )
    .option('--tls-cert <file>', 'serve https and HTTP/2 with this certificate (PEM)')
    .option('--tls-key <file>', 'its key (PEM)')
    .option('--config <file>', 'tidemark.yaml ($TIDEMARK_CONFIG; by default in the configuration folder)')
    .addHelpText(
      'after',
      `
SIGTERM and Ctrl-C stop it cleanly, SIGHUP reads the configuration again. The address goes to stdout when it is ready; the
log goes to stderr, a JSON object a line (TIDEMARK_LOG=debug|info|warn|error).

Examples:
  tidemark serve
  tidemark serve --listen 127.0.0.1:8080 --database postgres://tidemark@db/tidemark
  tidemark serve --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem \\
    --host console-api.enforce.dev,issuer.enforce.dev,cgr.dev`,
    )
    .action(async (options) => {
      // What a look leaves behind is short-lived, and a server runs for months: a small heap, collected often, saves a third of
      // the memory at 10,000 tags. It only helps before the server, which no other command needs, is loaded.
      const { setFlagsFromString } = await import('node:v8')
      setFlagsFromString('--semi-space-growth-factor=1')
      setFlagsFromString('--heap-growing-percent=30')
      const { runServe } = await import('../run-serve.js')
      await runServe(options, context)
    })
}
