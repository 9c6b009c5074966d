import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  return { runs, absent }
}

async function runPeer({ name, args }: (typeof peers)[number], server: RegistryProcess): Promise<PeerRun> {
  await countsOf(server)
  const home = mkdtempSync(join(tmpdir(), 'tidemark-peer-'))
  const env = { PATH: process.env.PATH, HOME: home, SSL_CERT_FILE: join(server.place, 'cert.pem') }
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
