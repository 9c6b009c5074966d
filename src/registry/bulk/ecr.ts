import { Fault } from '../../core/fault.js'
import { objectOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import type { Repository } from '../../core/reference.js'
import { SingleFlight } from '../../core/single-flight.js'
import type { HttpResponse } from '../../http/send.js'
import { findKeys } from '../credentials/aws/keys.js'
import { type AwsKeys, callAws } from '../credentials/aws/request.js'
import { type EcrService, ecrService } from '../credentials/ecr.js'
import type { Call } from '../request.js'
import type { BulkContext, BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, momentOf } from './read-list.js'

/**
 * Amazon ECR's DescribeImages (API version 2015-09-21), signed with the keys that the registry's password is fetched with; it
 * needs `ecr:DescribeImages`. An image with tags is the manifest list where a tag points at one. AWS knows when an image was
 * pushed, not when a tag moved to it.
 */
export const ecrList: BulkList = {
  kinds: ['ecr'],
  open(context) {
    const keys = new KeptKeys(context)
    return {
      async begin(repository, call) {
        const { host, path } = repository
        const service = await ecrService(host, context)
        const found = await keys.find(repository, service, call)
        if (found === null) return null
        const registryId = /^(\d{12})\./.exec(host)?.[1]
        return {
          ask: (cursor) => {
            const body = {
              ...(registryId !== undefined && { registryId }),
              ...{ repositoryName: path, filter: { tagStatus: 'TAGGED' }, maxResults: pageSize },
              ...(cursor !== null && { nextToken: cursor }),
            }
            return askAws('DescribeImages', body, repository, service, found, context, call)
          },
          read(value, _, what) {
            const { imageDetails, nextToken } = objectOf(value)
            const tags = entriesOf(imageDetails, what).flatMap((entry) => {
              const { imageDigest, imageTags, imagePushedAt } = objectOf(entry)
              const pushedAt = awsMoment(imagePushedAt)
              return (Array.isArray(imageTags) ? imageTags : []).map((tag) => assignmentOf(tag, imageDigest, pushedAt))
            })
            return { named: tags.length, assignments: tags.flat(), next: tokenOf(nextToken) }
          },
        }
      },
    }
  },
}

/** The most that DescribeImages, and DescribeImageTags of ECR Public, give at once. */
export const pageSize = 1_000
/** AWS's metadata services hand out keys that live for five minutes at least. */
const keysKeptMs = 4 * 60_000

/** Keys of AWS, kept for some minutes: those of roles cost requests of their own. */
export class KeptKeys {
  readonly #context: BulkContext
  readonly #flights = new SingleFlight<string, AwsKeys | null>()
  readonly #kept = new Map<string, { readonly keys: AwsKeys | null; readonly untilMs: number }>()

  constructor(context: BulkContext) {
    this.#context = context
  }

  /** Null where there are none, or the configuration wants none used. Throws as `findKeys`. */
  async find({ host }: Repository, service: EcrService, call: Call): Promise<AwsKeys | null> {
    if (this.#context.settingsOf(host).anonymous) return null
    const now = this.#context.clock.now()
    const key = `${service.name} ${service.region} ${service.url.href}`
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.untilMs > now) return kept.keys
    const keys = await this.#flights.run(key, (signal) => findKeys(service, this.#context, signal), call.signal)
    this.#kept.set(key, { keys, untilMs: now + keysKeptMs })
    return keys
  }
}

/**
 * One call of ECR's API, or ECR Public's, counted where it belongs.
 * @throws Fault as `callAws`
 */
export async function askAws(
  action: string,
  body: object,
  repository: Repository,
  { url, name, target, region }: EcrService,
  keys: AwsKeys,
  context: BulkContext,
  call: Call,
): Promise<HttpResponse> {
  const credential = await context.access.credential(repository, call.signal)
  const signed = {
    ...{ url, service: name, region, keys, body: JSON.stringify(body) },
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.${action}` },
    who: `${name === 'ecr' ? 'ECR' : 'ECR Public'} (${action}, with keys of ${keys.from})`,
    fix: `Nothing need be done: tags are asked for one by one. To have the list, allow the caller ${name}:${action}.`,
  }
  const sender: typeof context = {
    ...context,
    send: ({ method, url: to, headers = {}, body: text }) => {
      if (method !== 'POST') throw new Fault('internal', `a call of AWS by ${method}`)
      const request = { method, url: to, headers, maxBodyBytes: limits.tagsPageBytes, credential } as const
      return context.access.sendApi(repository.host, { ...request, ...(text !== undefined && { body: text }) }, call)
    },
  }
  return await callAws(signed, sender, call.signal ?? new AbortController().signal)
}

/** AWS tells times in seconds, with fractions. */
export function awsMoment(seconds: unknown): number | null {
  return typeof seconds === 'number' ? momentOf(seconds * 1000) : null
}

/** The cursor of the next page. */
export function tokenOf(nextToken: unknown): string | null {
  return typeof nextToken === 'string' && nextToken !== '' ? nextToken : null
}
