// npx tsx scripts/docs.ts [--check]
// Writes the documents that are made from the code, or says which of them are not as the code is.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createProgram } from '../src/cli/main.js'
import { faultCatalog } from '../src/core/fault-catalog.js'
import { openServices } from '../src/flows/open.js'
import { createApp } from '../src/server/app.js'

const isCheck = process.argv.includes('--check')
const documents: Record<string, string> = {
  'docs/errors.md': errors(),
  'docs/commands.md': commands(),
  'docs/openapi.json': await openapi(),
}
const stale = Object.entries(documents).filter(
  ([path, text]) => !existsSync(path) || readFileSync(path, 'utf8') !== text,
)
if (!isCheck) for (const [path, text] of stale) writeFileSync(path, text)
for (const [path] of stale) process.stderr.write(isCheck ? `${path} is not as the code is\n` : `${path} written\n`)
if (isCheck && stale.length > 0) {
  process.stderr.write('Run `npx tsx scripts/docs.ts`.\n')
  process.exitCode = 1
}

function errors(): string {
  const rows = Object.entries(faultCatalog).map(([code, kind]) => {
    const again = kind.retryable ? 'yes' : 'no'
    return `## ${code}\n\n${kind.meaning}\n\n**What to do:** ${kind.fix}\n\nExit code ${kind.exit}, HTTP ${kind.http}, gRPC ${kind.grpc}, OCI \`${kind.oci}\`; may succeed by itself later: ${again}.\n`
  })
  return `# Errors

Every way in which Tidemark fails, by its code: what \`TIDEMARK_DEBUG=1\` shows of a command, and what a problem (RFC 9457) of the
API carries as \`code\`. Codes are never renamed. Printed from \`src/core/fault-catalog.ts\`.

${rows.join('\n')}`
}

function commands(): string {
  const stream = process.stdout
  const context = {
    terminal: { stdout: stream, stderr: stream },
    environment: {},
    signal: new AbortController().signal,
    setExitCode: () => undefined,
  }
  const pages: string[] = []
  const describe = (
    command: { name(): string; helpInformation(): string; commands: readonly unknown[] },
    path: string,
  ) => {
    const name = path === '' ? command.name() : `${path} ${command.name()}`
    pages.push(`## ${name}\n\n\`\`\`\n${fullHelp(command)}\n\`\`\`\n`)
    for (const child of command.commands) describe(child as typeof command, name)
  }
  describe(createProgram(context) as never, '')
  return `# Commands\n\nWhat \`--help\` prints. Exit codes are in [exit-codes.md](exit-codes.md).\n\n${pages.join('\n')}`
}

/** With the examples, which commander writes and does not give. */
function fullHelp(command: object): string {
  let text = ''
  const printed = command as {
    configureOutput(output: object): void
    configureHelp(options: object): void
    outputHelp(): void
  }
  printed.configureHelp({ helpWidth: 100 })
  printed.configureOutput({
    writeOut: (part: string) => {
      text += part
    },
    getOutHelpWidth: () => 100,
  })
  printed.outputHelp()
  return text.trim()
}

async function openapi(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-docs-'))
  const services = openServices({ environment: { TIDEMARK_HOME: folder } })
  const authenticate = () => ({ name: 'docs', capabilities: new Set<never>() })
  const app = await createApp({ services, log: pino({ enabled: false }), authenticate, isLoopback: true, counts: null })
  await app.ready()
  const text = JSON.stringify(app.swagger(), null, 2)
  await app.close()
  rmSync(folder, { recursive: true })
  return `${text}\n`
}
