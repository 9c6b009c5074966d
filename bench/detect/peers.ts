import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Counts, concurrency, countsOf, nameOf, type RegistryProcess } from './subjects.js'

/** What a peer took to ask for tags. */
export interface PeerRun extends Counts {
  readonly name: string
  readonly tags: number
  readonly wallMs: number
}

/** Programs that ask for one tag and end: how they are called, and what tells that they are there. */
const peers: readonly { readonly name: string; readonly version: string; args(reference: string): string[] }[] = [
  { name: 'crane', version: 'version', args: (reference) => ['digest', reference] },
  { name: 'regctl', version: 'version', args: (reference) => ['image', 'digest', reference] },
  { name: 'skopeo', version: '--version', args: (reference) => ['inspect', '--raw', `docker://${reference}`] },
]

/**
 * The calls of Diun, whose own module the Go proxy of many places does not give: its library, in one process, with a client for each tag.
 * `go` builds it where it is on PATH.
 */
const inOneProcess = 'containers/image'
const source = fileURLToPath(new URL('../../../bench/detect/containers-image', import.meta.url))

/** So many tags are asked for: a process for each makes the rate the same for more. */
const peerTags = 100
const run = promisify(execFile)

/** Runs the peers that are installed, 16 processes at a time; names those that are not. */
export async function runPeers(server: RegistryProcess): Promise<{ runs: PeerRun[]; absent: string[] }> {
  const runs: PeerRun[] = []
  const absent: string[] = []
  for (const peer of peers) {
    if (spawnSync(peer.name, [peer.version]).error !== undefined) absent.push(peer.name)
    else runs.push(await runPeer(peer, server))
  }
  const built = buildInOneProcess()
  if ('lack' in built) absent.push(`${inOneProcess} (${built.lack})`)
  else runs.push(await runInOneProcess(built.program, server))
  return { runs, absent }
}

function buildInOneProcess(): { readonly program: string } | { readonly lack: string } {
  const program = join(mkdtempSync(join(tmpdir(), 'tidemark-peer-')), 'containers-image')
  // Without the C libraries of what it does not use here.
  const tags = ['-tags', 'containers_image_openpgp,exclude_graphdriver_btrfs']
  const { error, status, stderr } = spawnSync('go', ['build', ...tags, '-o', program, '.'], {
    cwd: source,
    encoding: 'utf8',
  })
  if (error !== undefined) return { lack: 'there is no Go' }
  return status === 0 ? { program } : { lack: `Go cannot build it: ${stderr.trim().split('\n').at(-1)}` }
}

/** All tags, as many at a time as ours. */
async function runInOneProcess(program: string, server: RegistryProcess): Promise<PeerRun> {
  await countsOf(server)
  const { tags, repositories, address } = server
  const references = Array.from({ length: tags }, (_, index) => {
    const { path, tag } = nameOf(index, repositories)
    return `${address}/${path}:${tag}\n`
  })
  const startedMs = performance.now()
  const running = run(program, [String(concurrency)], { env: environmentOf(server) })
  running.child.stdin?.end(references.join(''))
  await running
  const wallMs = performance.now() - startedMs
  return { name: inOneProcess, tags, wallMs, ...(await countsOf(server)) }
}

function environmentOf({ place }: RegistryProcess): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(tmpdir(), 'tidemark-peer-'))
  return { PATH: process.env.PATH, HOME: home, SSL_CERT_FILE: join(place, 'cert.pem') }
}

async function runPeer({ name, args }: (typeof peers)[number], server: RegistryProcess): Promise<PeerRun> {
  await countsOf(server)
  const env = environmentOf(server)
  const startedMs = performance.now()
  let next = 0
  const work = async () => {
    while (next < peerTags) {
      const { path, tag } = nameOf(next++, server.repositories)
      await run(name, args(`${server.address}/${path}:${tag}`), { env })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const wallMs = performance.now() - startedMs
  return { name, tags: peerTags, wallMs, ...(await countsOf(server)) }
}
