import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Requests at a time, of the floor and of Tidemark. */
export const concurrency = 16

/** What the registry of the bench counts. */
export interface Counts {
  readonly requests: number
  readonly gets: number
  readonly tokens: number
  readonly connections: number
}

/** What a subject measured of itself. */
export interface Measured {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssBytes: number
}

/** A registry in a process of its own. */
export interface RegistryProcess extends RegistryOptions {
  readonly child: ChildProcess
  readonly address: string
  /** Where its certificate, and a configuration that names it, are. */
  readonly place: string
}

/** What a registry of the bench holds and how it answers. */
export interface RegistryOptions {
  readonly tags: number
  readonly repositories: number
  readonly latencyMs: number
  /** Whether its lists carry digests. */
  readonly hasLists: boolean
}

/** The name of a tag of the bench. */
export function nameOf(index: number, repositories: number): { path: string; tag: string } {
  return { path: `bench/app-${index % repositories}`, tag: `1.${Math.floor(index / repositories)}` }
}

/** Starts a registry, and writes the configuration that speaks to it. */
export async function startRegistry(place: string, options: RegistryOptions): Promise<RegistryProcess> {
  const more = ['--latency', `${options.latencyMs}ms`, ...(options.hasLists ? ['--lists'] : [])]
  const child = startSubject('registry', { ...options, place, address: '' }, more)
  const { address } = (await said(child)) as { address: string }
  const kind = options.hasLists ? ', kind: gar, anonymous: true' : ''
  writeFileSync(join(place, 'tidemark.yaml'), `registries:\n  '${address}': { ca: ${place}/cert.pem${kind} }\n`)
  return { ...options, child, address, place }
}

/** Passes that come between the second and the one that is measured as warm: V8 has compiled by then what runs often. */
export const warmingPasses = 6

/** Runs the floor or Tidemark: a first pass, another with what the first has learned, and one that is warm. */
export async function runSubject(role: 'floor' | 'tidemark', server: RegistryProcess) {
  await countsOf(server)
  const child = startSubject(role, server)
  const first = { ...((await said(child)) as Measured), ...(await countsOf(server)) }
  child.send('go on')
  const second = { ...((await said(child)) as Measured), ...(await countsOf(server)) }
  child.send('go on')
  const measured = (await said(child)) as Measured
  const { requests, ...counts } = await countsOf(server)
  const warm = { ...measured, ...counts, requests: requests / (warmingPasses + 1) }
  child.send('end')
  await new Promise((resolve) => child.once('exit', resolve))
  // Connections are kept from the first pass on.
  const connections = first.connections + second.connections
  return {
    first,
    second: { ...second, connections },
    warm: { ...warm, connections: connections + warm.connections },
  }
}

/** What the registry has counted since it was asked last. */
export async function countsOf({ child }: RegistryProcess): Promise<Counts> {
  const answer = said(child)
  child.send('counts')
  return (await answer) as Counts
}

/** Starts a program of `subject.ts`. */
export function startSubject(
  role: string,
  { place, address, tags, repositories }: Pick<RegistryProcess, 'place' | 'address' | 'tags' | 'repositories'>,
  more: readonly string[] = [],
): ChildProcess {
  const counts = ['--tags', String(tags), '--repositories', String(repositories)]
  const args = ['--role', role, '--folder', place, '--address', address, ...counts, ...more]
  return fork(join(fileURLToPath(import.meta.url), '..', 'subject.js'), args)
}

function said(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a process of the bench ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}
