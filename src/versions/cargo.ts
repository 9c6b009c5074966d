import { semver } from './semver.js'
import type { VersionOrder } from './version-order.js'

/** Cargo: SemVer 2.0.0, where build metadata does not count for what a range takes (Cargo book, "Version metadata"). */
export const cargo: VersionOrder = { name: 'cargo', key: semver.key }
