import { noCost } from '../../src/core/cost.js'
import type { Digest } from '../../src/core/digest.js'
import type { Uidp } from '../../src/core/identity.js'
import { readManifest } from '../../src/core/manifest.js'
import { parseTagReference } from '../../src/core/reference.js'
import { manifestRecordOf } from '../../src/flows/manifest-record.js'
import type { Services } from '../../src/flows/open.js'
import { anonymousCaller, type Caller } from '../../src/iam/caller.js'
import { roles } from '../../src/iam/capabilities.js'
import type { LaneLease } from '../../src/store/store.js'

const leases = new WeakMap<Services, Map<number, LaneLease>>()

/** Looks at a tag as the watcher does, so that its digest is stored for its repository. */
export async function seeTag(name: string, services: Services): Promise<Digest> {
  const reference = parseTagReference(name)
  const store = await services.store()
  await store.watches.add(reference, { everyMs: null, origin: 'command' })
  const now = services.clock.now()
  const fetched = await (await services.registry()).manifest(reference, { cost: noCost() })
  const parsed = readManifest(Buffer.from(fetched.bytes), fetched.mediaType)
  const manifest = manifestRecordOf(fetched.digest, fetched, parsed)
  const { tagId = 0 } = (await store.watches.find(reference)) ?? {}
  const move = { tagId, seenAt: now, notBefore: null, pushedAt: null, manifest, changes: [] }
  const lanes = leases.get(services) ?? new Map<number, LaneLease>()
  leases.set(services, lanes)
  for (const lane of await store.lanes.lease('test', { now, leaseMs: 600_000 })) lanes.set(lane.laneId, lane)
  for (const lane of lanes.values()) await store.tags.recordMove(lane, move)
  return fetched.digest
}

/** Somebody who may read all that lies in `scope`. */
export function viewerOf(scope: Uidp): Caller {
  const grants = [{ scope, capabilities: new Set(roles.viewer) }]
  return { ...anonymousCaller(), kind: 'identity', name: `viewer of ${scope}`, grants }
}
