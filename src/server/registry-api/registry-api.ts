import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { noCost } from '../../core/cost.js'
import { Fault } from '../../core/fault.js'
import { createTagLister, type TagLister } from '../../flows/list-tags.js'
import type { Services } from '../../flows/open.js'
import { type BlobServer, createBlobServer } from '../../flows/serve-blob.js'
import { createTagHistoryServer, type TagHistoryServer } from '../../flows/serve-history.js'
import { createManifestServer, type ManifestServer } from '../../flows/serve-manifest.js'
import { abortedWith } from '../aborted-with.js'
import type { RegistryAccess } from './access.js'
import { bearerChallenge } from './challenge.js'
import { sendBlob, sendManifest, sendReferrers } from './content.js'
import { canonicalName, nameOnWire } from './name.js'
import { sendOciError } from './oci-error.js'
import { pageOf, readPageQuestion } from './page.js'
import { askAgain, type RegistryCall } from './registry-call.js'
import { sendTagHistory } from './tag-history.js'
import { isName, parseTarget, type Target } from './target.js'
import { addRegistryTokens } from './token.js'

interface Servers {
  readonly services: Services
  readonly access: RegistryAccess
  readonly manifests: ManifestServer
  readonly blobs: BlobServer
  readonly tags: TagLister
  readonly history: TagHistoryServer
}

/**
 * Everything below `/v2/`, and `/token`: a registry that can be read, OCI distribution specification v1.1.1, whose images are those of the
 * registries that are watched, and Chainguard's Tag History API.
 */
export function addRegistryApi(app: FastifyInstance, services: Services, access: RegistryAccess): void {
  const servers: Servers = {
    ...{ services, access },
    manifests: createManifestServer(services),
    blobs: createBlobServer(services),
    tags: createTagLister(services),
    history: createTagHistoryServer(services),
  }
  const handle = (request: FastifyRequest, reply: FastifyReply) => answer(request, reply, servers)
  void app.register(
    (registry, _, done) => {
      registry.addHook('onRequest', async (request, reply) => {
        void reply.header('docker-distribution-api-version', 'registry/2.0')
        if (request.method === 'GET' || request.method === 'HEAD') return
        // The body of a push is not read: it may be a layer. HTTP/2 ends the stream alone.
        if (request.raw.httpVersionMajor === 1) void reply.header('connection', 'close')
        throw new Fault('read-only', 'this registry is read only')
      })
      registry.setErrorHandler((error, request, reply) => {
        const challenge = (fault: Fault) =>
          bearerChallenge(request, access.authority.addresses(), scopeOf(request), fault)
        return sendOciError(error, challenge, request, reply)
      })
      registry.setNotFoundHandler(async () => {
        throw noSuchPath()
      })
      for (const url of ['/', '/*']) {
        const method = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
        registry.route({ method, url, schema: { hide: true }, handler: handle })
      }
      done()
    },
    { prefix: '/v2' },
  )
  addRegistryTokens(app, access.authority)
}

async function answer(request: FastifyRequest, reply: FastifyReply, servers: Servers): Promise<unknown> {
  const { path, query } = split(request)
  const target = parseTarget(path)
  const call = { request, reply, path, query, cost: noCost(), signal: abortedWith(reply) }
  switch (target.kind) {
    case 'base':
      await servers.access.requireToken(request)
      return await sendJson(reply, {})
    case 'catalog': {
      const question = readPageQuestion(query)
      const { entries, link } = pageOf(await servers.access.list(request), question, path, query)
      if (link !== null) void reply.header('link', link)
      return await sendJson(reply, { repositories: entries })
    }
    case 'unknown':
      await servers.access.requireToken(request)
      throw noSuchPath()
    default:
      return await answerNamed(call, target, servers)
  }
}

async function answerNamed(
  call: RegistryCall,
  target: Extract<Target, { readonly name: string }>,
  servers: Servers,
): Promise<unknown> {
  const { request, reply, path, query } = call
  const namespace = query.get('ns')
  const action = target.kind === 'history' ? 'history' : 'pull'
  const repository = await servers.access.open(request, target.name, namespace, action)
  if (namespace !== null) void reply.header('oci-namespace', repository.host)
  switch (target.kind) {
    case 'history':
      return await sendTagHistory(call, repository, target.reference, servers.history)
    case 'manifest':
      return await sendManifest(call, repository, target.reference, servers.manifests)
    case 'blob':
      return await sendBlob(call, repository, target.reference, servers.blobs)
    case 'referrers':
      return await sendReferrers(call, repository, target.reference, servers.services)
    case 'tags': {
      const question = readPageQuestion(query)
      const sorted = await servers.tags(repository, question.last !== null, call)
      const { entries, link } = pageOf(sorted, question, path, query)
      if (link !== null) void reply.header('link', link)
      return await sendJson(reply, { name: target.name, tags: entries })
    }
  }
}

function sendJson(reply: FastifyReply, body: object): FastifyReply {
  void reply.header('content-type', 'application/json').header('cache-control', askAgain)
  return reply.send(Buffer.from(JSON.stringify(body)))
}

/** The path as it came: a router would have unescaped it. */
function split(request: FastifyRequest): { path: string; query: URLSearchParams } {
  const { url = '' } = request.raw
  const mark = url.indexOf('?')
  return { path: mark < 0 ? url : url.slice(0, mark), query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) }
}

/** What a token must reach for this request. */
function scopeOf(request: FastifyRequest): string | null {
  try {
    const { path, query } = split(request)
    const target = parseTarget(path)
    if (target.kind === 'catalog') return 'registry:catalog:*'
    if (target.name === null) return null
    const namespace = query.get('ns')
    const name = namespace === null ? target.name : nameOnWire(canonicalName(target.name, namespace))
    return isName(name) ? `repository:${name}:pull` : null
  } catch {
    // The name is none, which is what the answer says.
    return null
  }
}

function noSuchPath(): Fault {
  return new Fault('repository-not-found', 'there is no such path in a registry', {
    fix: 'See docs/compatibility.md for what there is.',
  })
}
