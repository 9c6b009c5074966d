import type { Host } from '../../core/host.js'
import { objectOf, textOf } from '../../core/json-object.js'
import type { Repository } from '../../core/reference.js'
import type { TagAssignment } from '../../core/tag-assignment.js'
import { apiOf, sameCredential } from './api.js'
import type { BulkContext, BulkList } from './bulk-list.js'
import { assignmentOf, entriesOf, timeOf } from './read-list.js'

/**
 * JFrog Artifactory's query language (jfrog.com/help, "AQL Execution"): a tag is a folder with `manifest.json` in it, of an index
 * `list.manifest.json`, and the SHA-256 of that file is the digest. It needs `apiUrl`, because the registry's name does not tell
 * where Artifactory is, and a user. Of remote repositories it knows only what is in their cache.
 */
export const artifactoryList: BulkList = {
  kinds: ['artifactory'],
  open: (context) => ({
    async begin(repository, call) {
      const place = placeOf(repository, context)
      const credential = await context.access.credential(repository, call.signal)
      const headers = sameCredential(credential)
      if (place === null || headers.authorization === undefined) return null
      const api = apiOf(context, repository.host, null, credential, call)
      let offset = 0
      return {
        ask(cursor) {
          offset = Number(cursor ?? 0)
          const query = queryOf(place, offset)
          return api.post(api.path('/api/search/aql'), { ...headers, 'content-type': 'text/plain' }, query)
        },
        read(value, _, what) {
          const { results, range } = objectOf(value)
          const all = entriesOf(results, what)
          const { limit } = objectOf(range)
          const isFull =
            all.length > 0 && all.length >= (typeof limit === 'number' ? Math.min(limit, pageSize) : pageSize)
          const entries = isFull ? withoutLastFolder(all) : all
          const tags = entries.map((entry) => readItem(entry, place)).filter((item) => item !== null)
          return {
            named: tags.length,
            assignments: chooseOnes(tags),
            next: isFull ? `${offset + entries.length}` : null,
          }
        },
      }
    },
  }),
}

const pageSize = 10_000

/** Where the folders of an image's tags are. */
interface Place {
  readonly repo: string
  /** The image within it. */
  readonly path: string
}

/**
 * The repository of Artifactory that a reference means (jfrog.com/help, "Docker repository path and domain"): the first part of a
 * sub-domain of Artifactory's own host, else of the path.
 */
function placeOf({ host, path }: Repository, { settingsOf }: BulkContext): Place | null {
  const { apiUrl } = settingsOf(host)
  if (apiUrl === undefined || !URL.canParse(apiUrl)) return null
  const [repo = '', ...image] = path.split('/')
  const key = subdomainOf(host, new URL(apiUrl).hostname)
  if (key !== null) return { repo: key, path }
  return image.length === 0 ? null : { repo, path: image.join('/') }
}

function subdomainOf(host: Host, parent: string): string | null {
  const name = host.replace(/:\d+$/, '')
  const key = name.endsWith(`.${parent}`) ? name.slice(0, -parent.length - 1) : ''
  return /^[a-z0-9_-]+$/.test(key) ? key : null
}

/** Sorted, so that pages neither repeat nor leave out what does not change. Its `*` crosses slashes: others are left out later. */
function queryOf({ repo, path }: Place, offset: number): string {
  const names = [...manifestNames].map((name) => ({ name }))
  const criteria = JSON.stringify({ repo, path: { $match: `${path}/*` }, $or: names })
  const fields = '"repo","path","name","sha256","modified"'
  return `items.find(${criteria}).include(${fields}).sort({"$asc":["path","name"]}).offset(${offset}).limit(${pageSize})`
}

const manifestNames = new Set(['manifest.json', 'list.manifest.json'])

interface Item {
  readonly tag: string
  readonly isIndex: boolean
  /** Empty where it cannot be read. */
  readonly assignments: readonly TagAssignment[]
}

/** The last folder of a full page may go on behind it: the next page begins with it. */
function withoutLastFolder(entries: readonly unknown[]): readonly unknown[] {
  const last = objectOf(entries.at(-1)).path
  const kept = entries.findLastIndex((entry) => objectOf(entry).path !== last) + 1
  return kept === 0 ? entries : entries.slice(0, kept)
}

/** Null for what is no tag of this image: another image below it, or a platform's manifest, whose folder is called by its digest. */
function readItem(entry: unknown, { path }: Place): Item | null {
  const { path: folder, name, sha256, modified } = objectOf(entry)
  if (typeof folder !== 'string' || typeof name !== 'string' || !manifestNames.has(name)) return null
  const tag = folder.slice(path.length + 1)
  if (!folder.startsWith(`${path}/`) || tag.includes('/') || /^sha256(?::|__)[0-9a-f]{64}$/.test(tag)) return null
  return {
    tag,
    isIndex: name === 'list.manifest.json',
    assignments: assignmentOf(tag, `sha256:${textOf(sha256)}`, timeOf(modified)),
  }
}

/** A virtual repository may have a tag twice, and nothing tells which of them it gives: such a tag is left out. */
function chooseOnes(items: readonly Item[]): readonly TagAssignment[] {
  const byTag = new Map<string, Item[]>()
  for (const item of items) byTag.set(item.tag, [...(byTag.get(item.tag) ?? []), item])
  return [...byTag.values()].flatMap((all) => {
    const indexes = all.filter(({ isIndex }) => isIndex)
    const found = (indexes.length > 0 ? indexes : all).flatMap(({ assignments }) => assignments)
    return new Set(found.map(({ digest }) => digest)).size === 1 ? found.slice(0, 1) : []
  })
}
