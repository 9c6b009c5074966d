import { apk } from './apk.js'
import { bitnami } from './bitnami.js'
import { cargo } from './cargo.js'
import { composer } from './composer.js'
import { cran } from './cran.js'
import { deb } from './deb.js'
import { gem } from './gem.js'
import { go } from './go.js'
import { hackage } from './hackage.js'
import { maven } from './maven.js'
import { nuget } from './nuget.js'
import { pep440 } from './pep440.js'
import { pub } from './pub.js'
import { rpm } from './rpm.js'
import { semver } from './semver.js'
import type { VersionOrder } from './version-order.js'

/** A version order and where it holds. */
interface ListedOrder {
  readonly order: VersionOrder
  /** Package URL types, lower case (purl-spec, types). */
  readonly purlTypes: readonly string[]
  /** OSV ecosystem names, without the release after the colon (OSV schema 1.7.3, "Defined Ecosystems"). */
  readonly ecosystems: readonly string[]
}

const apkEcosystems = [
  'Alpine',
  'Wolfi',
  'Chainguard',
  'MinimOS',
  'Alpaquita',
  'BellSoft Hardened Containers',
  'CleanStart',
]
const rpmEcosystems = [
  'AlmaLinux',
  'Azure Linux',
  'Mageia',
  'openEuler',
  'openSUSE',
  'Photon OS',
  'Red Hat',
  'Rocky Linux',
]
const semverEcosystems = ['npm', 'Hex', 'SwiftURL', 'GitHub Actions', 'Julia', 'Kubernetes']

/** Every version order, one a line. What is not here has no order: the answer is "unknown". */
export const versionOrders: readonly ListedOrder[] = [
  { order: apk, purlTypes: ['apk'], ecosystems: apkEcosystems },
  { order: bitnami, purlTypes: ['bitnami'], ecosystems: ['Bitnami'] },
  { order: cargo, purlTypes: ['cargo'], ecosystems: ['crates.io'] },
  { order: composer, purlTypes: ['composer'], ecosystems: ['Packagist'] },
  { order: cran, purlTypes: ['cran', 'bioconductor'], ecosystems: ['CRAN', 'Bioconductor'] },
  { order: deb, purlTypes: ['deb'], ecosystems: ['Debian', 'Ubuntu'] },
  { order: gem, purlTypes: ['gem'], ecosystems: ['RubyGems'] },
  { order: go, purlTypes: ['golang'], ecosystems: ['Go'] },
  { order: hackage, purlTypes: ['hackage'], ecosystems: ['Hackage', 'GHC'] },
  { order: maven, purlTypes: ['maven'], ecosystems: ['Maven'] },
  { order: nuget, purlTypes: ['nuget'], ecosystems: ['NuGet'] },
  { order: pep440, purlTypes: ['pypi'], ecosystems: ['PyPI'] },
  { order: pub, purlTypes: ['pub'], ecosystems: ['Pub'] },
  { order: rpm, purlTypes: ['rpm'], ecosystems: [...rpmEcosystems, 'SUSE'] },
  { order: semver, purlTypes: ['npm', 'hex', 'swift', 'julia'], ecosystems: semverEcosystems },
]

const byPurlType = new Map(
  versionOrders.flatMap(({ order, purlTypes }) => purlTypes.map((type): [string, VersionOrder] => [type, order])),
)
const byEcosystem = new Map(
  versionOrders.flatMap(({ order, ecosystems }) => ecosystems.map((name): [string, VersionOrder] => [name, order])),
)

/** The order of a package URL's versions, by its type (`deb`); null when we know none. */
export function orderOfPurlType(type: string): VersionOrder | null {
  return byPurlType.get(type) ?? null
}

/** The order of an OSV ecosystem, with or without its release (`Debian:12`); null when we know none. */
export function orderOfEcosystem(ecosystem: string): VersionOrder | null {
  const colon = ecosystem.indexOf(':')
  return byEcosystem.get(colon < 0 ? ecosystem : ecosystem.slice(0, colon)) ?? null
}
