import type { Readable } from 'node:stream'
import { Fault, toFault } from '../core/fault.js'
import { cacheFolder, type Environment } from '../flows/places.js'
import { callServer, parseServer } from './call-server.js'
import { findLogin, keptToken } from './login.js'
import { listLogins } from './token-files.js'

/** What a credential helper needs of the process around it. */
export interface HelperOptions {
  readonly args: readonly string[]
  readonly input: Readable
  readonly output: NodeJS.WritableStream
  readonly environment: Environment
}

/** What docker, go-containerregistry and podman look for to learn that there is nothing here. */
const notFound = 'credentials not found in native keychain'
/** The name that goes with a token: Chainguard's. */
const tokenUser = '_token'
/** A host and its port: what comes on stdin is no longer. */
const inputBytes = 4096

/**
 * The program `docker-credential-tidemark` (github.com/docker/docker-credential-helpers v0.9, "Development"): `get` makes a
 * registry token of what `tidemark auth login` left, `list` names the registries. It goes by any name that it is linked to.
 * Errors go to stdout, as callers expect. Gives the exit code.
 */
export async function runCredentialHelper({ args, input, output, environment }: HelperOptions): Promise<number> {
  try {
    output.write(`${await answer(args[0], () => readServer(input), environment)}\n`)
    return 0
  } catch (error) {
    output.write(`${toFault(error).message}\n`)
    return 1
  }
}

async function answer(action: string | undefined, server: () => Promise<string>, environment: Environment) {
  if (action === 'get') return JSON.stringify(await get(await server(), environment))
  if (action === 'list') {
    const logins = await listLogins(cacheFolder(environment))
    return JSON.stringify(Object.fromEntries(logins.map(({ registry }) => [registry, tokenUser])))
  }
  // Docker erases what it failed with; the login is not docker's to end.
  if (action === 'erase') return ''
  if (action === 'store') {
    throw new Fault('unsupported', 'docker-credential-tidemark stores nothing: run `tidemark auth login`')
  }
  throw new Fault('invalid-argument', 'usage: docker-credential-tidemark get|list|erase|store')
}

async function get(server: string, environment: Environment) {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  const login = await findLogin(host, environment)
  if (login === null || login.registry !== host) throw new Fault('not-found', notFound)
  const { signal } = new AbortController()
  const url = parseServer(login.server)
  const token = await keptToken(login, url, { environment, signal })
  if (token === null) throw new Fault('not-found', notFound)
  const issued = await callServer('tokenIssue', { audience: [login.registry] }, { url, token, signal })
  return { ServerURL: server, Username: tokenUser, Secret: issued.token }
}

async function readServer(input: Readable): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += String(chunk)
    if (text.length > inputBytes) throw new Fault('invalid-argument', 'that is no registry')
  }
  return text.trim()
}
