import type { Digest } from '../core/digest.js'
import { type Host, parseHost } from '../core/host.js'
import { formatReference, isSameRepository, type TagReference } from '../core/reference.js'
import type { HintTarget } from '../store/hints.js'
import type { Store, WatchRule } from '../store/store.js'
import type { Config } from './config.js'
import { takes } from './follow-tags.js'
import type { Services } from './open.js'
import type { Watcher } from './watcher.js'

/** What somebody says has happened to a tag. It tells where to look, never what is there. */
export interface PushEvent {
  readonly reference: TagReference
  /** What the tag is said to point at now; null when that is not said, and when it was removed. */
  readonly digest: Digest | null
}

/**
 * What becomes of a hint. `taken`: a look follows, here; `handed-over`: the process that holds the host makes it; `joined`: one that
 * has not begun follows anyway; `known`: the tag is known to point there; `full`: too many wait, the interval will tell; `unwatched`:
 * nobody watches such a tag.
 */
export type HintOutcome = 'taken' | 'handed-over' | 'joined' | 'known' | 'full' | 'unwatched'

/** Brings hints to the watches that they are about. */
export interface Hinter {
  /** Takes up the other names of hosts. @throws Fault `invalid-reference`; then nothing is changed */
  configure(config: Config): void
  /** One outcome for each event, in their order. @throws Fault of the store: then the sender should come again */
  hint(events: readonly PushEvent[]): Promise<readonly HintOutcome[]>
}

/** See {@link Hinter}. `watcher` null: no process watches here, and all is handed over. */
export function createHinter(services: Services, watcher: Pick<Watcher, 'hint'> | null): Hinter {
  let namedAs = new Map<Host, Host[]>()
  let rules: { readonly version: number; readonly list: readonly WatchRule[] } | null = null
  /** Read once for each change of the watches: a flood about what nobody watches asks for little. */
  const rulesOf = async (store: Store) => {
    const version = await store.watches.version()
    if (rules?.version !== version) rules = { version, list: await store.watches.listRules() }
    return rules.list
  }
  const give = (target: HintTarget, handedOver: HintTarget[]): HintOutcome => {
    const outcome = watcher?.hint(target) ?? 'elsewhere'
    if (outcome !== 'elsewhere') return outcome
    handedOver.push(target)
    return 'handed-over'
  }
  const hintOne = async ({ reference, digest }: PushEvent, store: Store, handedOver: HintTarget[]) => {
    const outcomes: HintOutcome[] = []
    for (const host of [reference.host, ...(namedAs.get(reference.host) ?? [])]) {
      const named = { ...reference, host }
      const watch = await store.watches.find(named)
      if (watch !== null) {
        const { laneId, tagId } = watch
        const isKnown = digest !== null && watch.state === 'present' && watch.digest === digest
        outcomes.push(isKnown ? 'known' : give({ laneId, tagId, ruleId: null }, handedOver))
        continue
      }
      for (const { id, laneId, ...rule } of await rulesOf(store)) {
        if (isSameRepository(rule.repository, named) && takes(rule, reference.tag))
          outcomes.push(give({ laneId, tagId: null, ruleId: id }, handedOver))
      }
    }
    return best.find((outcome) => outcomes.includes(outcome)) ?? 'unwatched'
  }
  return {
    configure({ registries = {} }) {
      const names = new Map<Host, Host[]>()
      for (const [host, { aliases = [] }] of Object.entries(registries)) {
        for (const alias of aliases.map(parseHost)) names.set(alias, [...(names.get(alias) ?? []), parseHost(host)])
      }
      namedAs = names
    },
    async hint(events) {
      const store = await services.store()
      const handedOver: HintTarget[] = []
      const once = new Map<string, HintOutcome>()
      const outcomes: HintOutcome[] = []
      for (const event of events) {
        const key = `${formatReference(event.reference)} ${event.digest ?? ''}`
        const outcome = once.get(key) ?? (await hintOne(event, store, handedOver))
        once.set(key, outcome)
        outcomes.push(outcome)
      }
      await store.hints.put(handedOver)
      return outcomes
    },
  }
}

/** Of several watches that one event is about: what to tell. */
const best: readonly HintOutcome[] = ['taken', 'handed-over', 'joined', 'full', 'known']
