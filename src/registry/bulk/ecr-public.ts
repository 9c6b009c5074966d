import { objectOf, objectsOf } from '../../core/json-object.js'
import { limits } from '../../core/limits.js'
import type { Repository } from '../../core/reference.js'
import type { AwsKeys } from '../credentials/aws/request.js'
import { type EcrService, ecrPublicService } from '../credentials/ecr.js'
import { readObject } from '../credentials/question.js'
import type { Call } from '../request.js'
import type { BulkContext, BulkList } from './bulk-list.js'
import { askAws, awsMoment, KeptKeys, pageSize, tokenOf } from './ecr.js'
import { assignmentOf, entriesOf } from './read-list.js'

/**
 * Amazon ECR Public's DescribeImageTags (API version 2020-10-30). AWS lets an account list its own repositories only, and takes
 * an account where references have an alias: so DescribeRegistries is asked which aliases are ours, and others have no list.
 */
export const ecrPublicList: BulkList = {
  kinds: ['ecr-public'],
  open(context) {
    const keys = new KeptKeys(context)
    const aliases = new Map<string, { readonly registryIds: ReadonlyMap<string, string>; readonly untilMs: number }>()
    return {
      async begin(repository, call) {
        const [alias = '', ...name] = repository.path.split('/')
        const service = ecrPublicService(repository.host, context)
        const found = await keys.find(repository, service, call)
        if (found === null || name.length === 0) return null
        const owner = `${service.url.href} ${found.accessKeyId}`
        let own = aliases.get(owner)
        if (own === undefined || own.untilMs <= context.clock.now()) {
          const registryIds = await ownRegistries(repository, service, found, context, call)
          own = { registryIds, untilMs: context.clock.now() + aliasesKeptMs }
          if (aliases.size >= limits.pages) aliases.clear()
          aliases.set(owner, own)
        }
        const registryId = own.registryIds.get(alias)
        if (registryId === undefined) return null
        const body = { registryId, repositoryName: name.join('/'), maxResults: pageSize }
        return {
          ask: (cursor) => {
            const page = cursor === null ? body : { ...body, nextToken: cursor }
            return askAws('DescribeImageTags', page, repository, service, found, context, call)
          },
          read(value, _, what) {
            const { imageTagDetails, nextToken } = objectOf(value)
            const entries = entriesOf(imageTagDetails, what).map(objectOf)
            const assignments = entries.flatMap(({ imageTag, imageDetail, createdAt }) => {
              const { imageDigest, imagePushedAt } = objectOf(imageDetail)
              return assignmentOf(imageTag, imageDigest, awsMoment(createdAt) ?? awsMoment(imagePushedAt))
            })
            return { named: entries.length, assignments, next: tokenOf(nextToken) }
          },
        }
      },
    }
  },
}

/** An alias is asked for by hand, and granted after days. */
const aliasesKeptMs = 60 * 60_000

/** Our accounts by the aliases of their registries. An account has one registry, so there is no second page. */
async function ownRegistries(
  repository: Repository,
  service: EcrService,
  keys: AwsKeys,
  context: BulkContext,
  call: Call,
): Promise<ReadonlyMap<string, string>> {
  const answer = await askAws('DescribeRegistries', {}, repository, service, keys, context, call)
  const own = new Map<string, string>()
  for (const { registryId, aliases } of objectsOf(readObject(answer, 'ECR Public (DescribeRegistries)').registries)) {
    if (typeof registryId !== 'string') continue
    for (const { name } of objectsOf(aliases)) if (typeof name === 'string') own.set(name, registryId)
  }
  return own
}
