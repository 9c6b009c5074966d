// npx tsx scripts/docs.ts [--check]
// Writes the documents, and the parts of documents between `<!-- NAME -->` and `<!-- end -->`, that are made from the code, or
// says which of them are not as the code is.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createProgram } from '../src/cli/main.js'
import { faultCatalog } from '../src/core/fault-catalog.js'
import { configSchema } from '../src/flows/config-schema.js'
import { openServices } from '../src/flows/open.js'
import { createApp } from '../src/server/app.js'
import { createWebhooks } from '../src/server/webhooks/webhooks.js'
import { ddlOf } from '../src/store/migrate.js'
import { scriptSchema } from '../src/test-registry/script.js'

const isCheck = process.argv.includes('--check')
const documents: Record<string, string> = {
  'docs/errors.md': errors(),
  'docs/commands.md': commands(),
  'docs/openapi.json': await openapi(),
  'docs/schema.sqlite.sql': ddlOf('sqlite'),
  'docs/schema.postgres.sql': ddlOf('postgres'),
  'docs/configuration.md': filled('docs/configuration.md', 'keys', keysOf(configSchema as unknown as Schema)),
  'docs/test-registry.md': filled('docs/test-registry.md', 'keys', keysOf(scriptSchema as unknown as Schema)),
  'docs/limits.md': filled('docs/limits.md', 'limits', limitsTable()),
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

Every way in which Tidemark fails, by its code: what a problem (RFC 9457) of the API carries as \`code\`, and what a command shows
with \`TIDEMARK_DEBUG=1\`. Codes are never renamed. Printed from \`src/core/fault-catalog.ts\`.

${rows.join('\n')}`
}

interface AnyCommand {
  name(): string
  readonly commands: readonly AnyCommand[]
  configureOutput(output: object): void
  configureHelp(options: object): void
  outputHelp(): void
}

function commands(): string {
  const terminal = { stdout: process.stdout, stderr: process.stderr }
  const { signal } = new AbortController()
  const program = createProgram({ terminal, environment: {}, signal, setExitCode: () => undefined })
  const pages: string[] = []
  const describe = (command: AnyCommand, path: string) => {
    const name = path === '' ? command.name() : `${path} ${command.name()}`
    pages.push(`## ${name}\n\n\`\`\`\n${helpOf(command)}\n\`\`\`\n`)
    for (const child of command.commands) describe(child, name)
  }
  describe(program as unknown as AnyCommand, '')
  return `# Commands\n\nWhat \`--help\` prints. Exit codes are in [exit-codes.md](exit-codes.md).\n\n${pages.join('\n')}`
}

/** With the examples, which commander writes and does not give. */
function helpOf(command: AnyCommand): string {
  let text = ''
  command.configureHelp({ helpWidth: 100 })
  command.configureOutput({
    writeOut: (part: string) => {
      text += part
    },
    getOutHelpWidth: () => 100,
  })
  command.outputHelp()
  return text.trim()
}

async function openapi(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-docs-'))
  const services = openServices({ environment: { TIDEMARK_HOME: folder } })
  const authority = await services.authority()
  const log = pino({ enabled: false })
  const webhooks = createWebhooks(services, null)
  const app = await createApp({ services, log, authority, isLoopback: true, isOpen: true, counts: null, webhooks })
  await app.ready()
  const text = JSON.stringify(app.swagger(), null, 2)
  await app.close()
  await services.close()
  rmSync(folder, { recursive: true })
  return `${text}\n`
}

interface Schema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
}

/** Every key of a YAML file, as a table. */
function keysOf(schema: Schema): string {
  const rows: string[] = []
  const walk = (part: Schema, path: string) => {
    const below: [string, Schema][] = [
      ...Object.entries(part.properties ?? {}),
      ...Object.values(part.patternProperties ?? {}).map((child): [string, Schema] => ['NAME', child]),
    ]
    for (const [key, child] of below) {
      const here = path === '' ? key : `${path}.${key}`
      rows.push(`| \`${here}\` | ${typeOf(child)} | ${(child.description ?? '').replace(/\|/g, '\\|')} |`)
      walk(child, here)
    }
    if (part.items !== undefined) walk(part.items, `${path}[]`)
    for (const choice of part.anyOf ?? []) walk(choice, path)
  }
  walk(schema, '')
  return ['| key | form | what it does |', '|---|---|---|', ...new Set(rows)].join('\n')
}

function typeOf(schema: Schema): string {
  if (schema.anyOf === undefined) return schema.const === undefined ? (schema.type ?? 'any') : `\`${schema.const}\``
  return [...new Set(schema.anyOf.map(typeOf))].join(', ')
}

/** The limits with the reason that stands beside each in the code. */
function limitsTable(): string {
  const text = readFileSync('src/core/limits.ts', 'utf8')
  const rows = [...text.matchAll(/\/\*\* ([^*]+?) \*\/\n\s+(\w+): ([^,\n]+),/g)]
  return [
    '| limit | value | why |',
    '|---|---|---|',
    ...rows.map(
      ([, why, name, value]) => `| \`${name}\` | \`${value}\` | ${(why as string).replace(/\s*\n\s*\*\s*/g, ' ')} |`,
    ),
  ].join('\n')
}

function filled(path: string, name: string, text: string): string {
  const page = readFileSync(path, 'utf8')
  const [start, end] = [`<!-- ${name} -->\n`, '\n<!-- end -->']
  const from = page.indexOf(start)
  const to = page.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`${path} has no place for ${name}`)
  return page.slice(0, from + start.length) + text + page.slice(to)
}
