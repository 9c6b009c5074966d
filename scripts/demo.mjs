// npm run demo [-- --once]
// A registry with sample images and a Tidemark server, both on loopback; a tag moves, and what Tidemark saw is shown.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ensureBuilt, ensureInstalled, root } from './prepare.mjs'

const once = process.argv.includes('--once')
ensureInstalled()
ensureBuilt()

const folder = mkdtempSync(join(tmpdir(), 'tidemark-demo-'))
// A demo shows the same everywhere: nothing of this machine's own settings, and nothing of it stays.
const { TIDEMARK_CONFIG, TIDEMARK_SERVER, TIDEMARK_TOKEN, TIDEMARK_DATABASE, ...inherited } = process.env
const environment = { ...inherited, TIDEMARK_HOME: folder, XDG_CONFIG_HOME: join(folder, 'config') }
const program = join(root, 'bin', 'tidemark')
const children = []
/** Facts of Alpine's security database for 3.10, as records of the OSV schema; CVSS vectors are NVD's. */
const advisories = [
  record('CVE-2021-28831', 'busybox', '1.30.1-r5', 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H'),
  record('CVE-2020-28928', 'musl', '1.1.22-r4', 'CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H'),
  record('CVE-2021-3450', 'openssl', '1.1.1k-r0', 'CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N'),
]
let isEnding = false

process.on('SIGINT', () => end(0))
process.on('SIGTERM', () => end(0))

try {
  await main()
  if (once) await end(0)
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`)
  await end(1)
}

async function main() {
  title('A registry with sample images, and Tidemark beside it')
  const registry = await start(['registry', 'serve', '--listen', '127.0.0.1:0'])
  const server = await start(['serve', '--listen', '127.0.0.1:0'])
  const tag = `${new URL(registry).host}/library/alpine:3.10`
  say(`registry  ${registry}`)
  say(`tidemark  ${server}`)

  title('Has a tag moved since the last check? One HEAD, no pull')
  tidemark(['check', tag])
  tidemark(['check', tag], 0)

  title('Watch it, once a second')
  tidemark(['watch', 'add', tag, '--every', '1s', '--server', server])
  await entries(server, tag, 1)

  for (const release of ['3.10.4', '3.10.9']) {
    title(`Somebody pushes Alpine ${release} under the same tag`)
    const response = await fetch(`${registry}/_test/move?tag=library/alpine:3.10`, { method: 'POST' })
    say(`pushed    ${(await response.json()).digest}`)
    const seen = await entries(server, tag, release === '3.10.4' ? 2 : 3)
    const { at, kind, digest, notBefore, changes } = seen.at(-1)
    say(`seen      ${digest} ${kind} (${changes.join(', ')}), after ${notBefore} and no later than ${at}`)
  }

  title('The same check now: exit code 10, something moved')
  tidemark(['check', tag], 10)

  title('Every digest that the tag has had')
  tidemark(['history', tag, '--server', server])
  tidemark(['digest', `${tag}@{1}`, '--server', server])

  title('Advisory data: a few records here, `tidemark db update` for all of them')
  writeFileSync(join(folder, 'advisories.jsonl'), advisories.map((one) => JSON.stringify(one)).join('\n'))
  tidemark(['db', 'import', join(folder, 'advisories.jsonl')])

  title('What the last move changed, without pulling either image: packages, and vulnerabilities with their cause')
  tidemark(['diff', tag, '--platform', 'linux/amd64'])

  title('A gate for a pipeline: exit code 1, what the tag pointed at before is affected')
  tidemark(['scan', `${tag}@{1}`, '--platform', 'linux/amd64', '--fail-on', 'high'], 1)

  if (once) return
  title('Left running until Ctrl-C')
  say(`history   curl '${server}/api/v1/history?reference=${tag}'`)
  say(`events    curl -N -H 'Last-Event-ID: 0' ${server}/api/v1/events`)
  say(`openapi   ${server}/api/v1/openapi.json`)
  say(`metrics   ${server}/metrics`)
}

/** Starts a command that serves; resolves with the address that it prints when it is ready. */
function start(args) {
  const child = spawn(process.execPath, [program, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let log = ''
  child.stderr.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-10_000)
  })
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => {
      if (isEnding) return
      reject(new Error(`tidemark ${args.join(' ')} ended with ${code}:\n${log}`))
    })
  })
}

/** Runs a command and shows it with its output. */
function tidemark(args, expected = 0) {
  say(`$ tidemark ${args.map((arg) => (/[@{}*]/.test(arg) ? `'${arg}'` : arg)).join(' ')}`)
  const { status } = spawnSync(process.execPath, [program, ...args], { env: environment, stdio: 'inherit' })
  if (status !== expected) throw new Error(`it ended with ${status}, not ${expected}`)
}

/** The history of a tag, as soon as it has `count` entries. */
async function entries(server, tag, count) {
  const url = `${server}/api/v1/history?reference=${encodeURIComponent(tag)}`
  for (let tries = 0; tries < 200; tries++) {
    const response = await fetch(url)
    const body = await response.json()
    if (response.ok && body.entries.length >= count) return body.entries
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${tag} has no ${count} entries after 20 s`)
}

async function end(code) {
  if (isEnding) return
  isEnding = true
  for (const child of [...children].reverse()) {
    if (child.exitCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  rmSync(folder, { recursive: true, force: true })
  process.exit(code)
}

function record(cve, name, fixed, vector) {
  return {
    schema_version: '1.7.0',
    id: `ALPINE-${cve}`,
    modified: '2021-04-14T00:00:00Z',
    upstream: [cve],
    severity: [{ type: 'CVSS_V3', score: vector }],
    affected: [
      {
        package: { ecosystem: 'Alpine:v3.10', name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
  }
}

function title(text) {
  process.stdout.write(`\n== ${text}\n`)
}

function say(text) {
  process.stdout.write(`${text}\n`)
}
