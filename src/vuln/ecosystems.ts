import type { Distribution } from '../core/package.js'

/**
 * By which names the advisories of a distribution are keyed. `source`: the source package and its version; `origin`: the
 * origin and the package's own name; `binary`: the package's own name; `source-rpm`: the source package, by a version
 * that lacks the epoch.
 */
export type AdvisoryKeys = 'source' | 'origin' | 'binary' | 'source-rpm'

/** Where a distribution's advisories are. */
export interface DistributionEcosystems {
  /** purl type of its packages. */
  readonly type: 'apk' | 'deb' | 'rpm'
  readonly keys: AdvisoryKeys
  /** Those of the data that are its own. Empty: there is no data for this release. */
  readonly ecosystems: readonly string[]
  /** As OSV would name it, for a warning where there is no data. */
  readonly wanted: string
  /** Namespace of its findings, as grype names it: `debian:distro:debian:12`. */
  readonly reference: string
  /** What a reader must know of the choice; null for nothing. */
  readonly note: string | null
}

/**
 * The ecosystems of OSV that hold the advisories of a distribution's release (OSV schema 1.7, "Defined Ecosystems"); null
 * for a distribution that publishes none that we know. One that is only like another one is not taken for it: its packages
 * are others under the same names.
 * @param known the ecosystems of the data
 * @param hasUbuntuPro whether a package of Ubuntu Pro is installed: only then its advisories are about this image
 */
export function distributionEcosystems(
  distribution: Distribution,
  known: readonly string[],
  hasUbuntuPro: boolean,
): DistributionEcosystems | null {
  const family = families.get(distribution.id)
  const release = family?.releaseOf(distribution)
  if (family === undefined || release === undefined || release === null) return null
  const isOwn = family.ecosystems(release, distribution, hasUbuntuPro)
  return {
    type: family.type,
    keys: family.keys,
    ecosystems: known.filter((ecosystem) =>
      isOwn.some((one) => (typeof one === 'string' ? one === ecosystem : one.test(ecosystem))),
    ),
    wanted: family.named(release, distribution),
    reference: `${family.space}:${release === '' ? 'rolling' : release}`,
    note: family.note ?? null,
  }
}

/** An ecosystem of a language and the name of the language in namespaces of findings. */
export interface LanguageEcosystem {
  readonly ecosystem: string
  /** `github:language:javascript` */
  readonly reference: string
}

/** The ecosystem of packages of a purl type; null for one that has no advisories by that type alone. */
export function languageEcosystem(type: string): LanguageEcosystem | null {
  const [ecosystem, language] = languages.get(type) ?? []
  return ecosystem === undefined ? null : { ecosystem, reference: `github:language:${language}` }
}

/** Whether packages of that purl type are a distribution's. */
export function isDistributionType(type: string): boolean {
  return type === 'deb' || type === 'apk' || type === 'rpm' || type === 'alpm'
}

const languages: ReadonlyMap<string, readonly [string, string]> = new Map(
  Object.entries<readonly [string, string]>({
    bioconductor: ['Bioconductor', 'r'],
    bitnami: ['Bitnami', 'bitnami'],
    cargo: ['crates.io', 'rust'],
    composer: ['Packagist', 'php'],
    conan: ['ConanCenter', 'cpp'],
    cran: ['CRAN', 'r'],
    gem: ['RubyGems', 'ruby'],
    golang: ['Go', 'go'],
    hackage: ['Hackage', 'haskell'],
    hex: ['Hex', 'elixir'],
    julia: ['Julia', 'julia'],
    maven: ['Maven', 'java'],
    npm: ['npm', 'javascript'],
    nuget: ['NuGet', 'dotnet'],
    opam: ['opam', 'ocaml'],
    pub: ['Pub', 'dart'],
    pypi: ['PyPI', 'python'],
    swift: ['SwiftURL', 'swift'],
  }),
)

interface Family {
  readonly type: DistributionEcosystems['type']
  readonly keys: AdvisoryKeys
  /** Namespace without the release. */
  readonly space: string
  /** The release as its advisories tell releases apart; empty for a rolling one, null where it is unknown. */
  releaseOf(distribution: Distribution): string | null
  ecosystems(release: string, distribution: Distribution, hasUbuntuPro: boolean): readonly (string | RegExp)[]
  named(release: string, distribution: Distribution): string
  readonly note?: string
}

/** One with a single name of an ecosystem. */
function family(
  type: Family['type'],
  keys: AdvisoryKeys,
  space: string,
  releaseOf: Family['releaseOf'],
  named: Family['named'],
): Family {
  return { type, keys, space, releaseOf, named, ecosystems: (release, distribution) => [named(release, distribution)] }
}

const rolling = () => ''
const whole = ({ versionId }: Distribution) => versionId
const major = ({ versionId }: Distribution) => versionId?.split('.')[0] ?? null
const prefixed = (prefix: string) => (release: string) => (release === '' ? prefix : `${prefix}:${release}`)

/** The releases of Debian with number, for images of testing that name theirs only. */
const debianReleases: Readonly<Record<string, string>> = {
  stretch: '9',
  buster: '10',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
  duke: '15',
}

/** `3.1` is a release of its own; from 4 on what follows the dot is a point release. */
function debianRelease({ versionId, codename }: Distribution): string | null {
  if (versionId === null) return debianReleases[codename?.split('/')[0] ?? ''] ?? null
  return /^[0-3]\./.test(versionId) ? versionId : (versionId.split('.')[0] ?? null)
}

/** `3.20.3` is `3.20`; `3.21.0_alpha20240807` and `edge` are edge. */
function alpineRelease({ versionId }: Distribution): string | null {
  if (versionId === null) return null
  if (versionId === 'edge' || versionId.includes('_alpha')) return 'edge'
  return /^\d+\.\d+/.exec(versionId)?.[0] ?? null
}

function alpineEcosystem(release: string): string {
  return release === 'edge' ? 'Alpine:edge' : `Alpine:v${release}`
}

/** postmarketOS v25.12 is built on Alpine 3.23, v25.06 on 3.22, and so on back, two a year; its `edge` on Alpine's. */
function postmarketRelease({ versionId }: Distribution): string | null {
  if (versionId === 'edge') return 'edge'
  const [, year, month] = /^v?(2\d)\.(06|12)(?:\.|$)/.exec(versionId ?? '') ?? []
  return year === undefined ? null : `3.${2 * Number(year) - (month === '12' ? 27 : 28)}`
}

/** `15.5` is written `15 SP5` until SLES 16. */
function suseRelease(release: string): string {
  const [number = '', pack = '0'] = release.split('.')
  if (Number(number) >= 16) return release
  return pack === '0' ? number : `${number} SP${pack}`
}

/** `openEuler 24.03 (LTS-SP1)` */
function openEulerEcosystem(release: string, { name }: Distribution): string {
  const kind = /\((LTS(?:-SP\d+)?)\)/i.exec(name)?.[1]
  return `openEuler:${release}${kind === undefined ? '' : `-${kind.toUpperCase()}`}`
}

function redHat(note?: string): Family {
  return {
    type: 'rpm',
    keys: 'binary',
    space: 'redhat:distro:redhat',
    releaseOf: major,
    // Every repository of that major release (`::appstream`, `::baseos`, `::crb`); since 10 the CPE has a minor one.
    ecosystems: (release) => [new RegExp(`^Red Hat:enterprise_linux:${escaped(release)}(?:\\.\\d+)?(?:::[^:]*)?$`)],
    named: (release) => `Red Hat:enterprise_linux:${release}`,
    ...(note !== undefined && { note }),
  }
}

/** The server and its modules; live patches, real-time kernels and paid extensions are other lines of versions. */
function suse(product: string): Family {
  return {
    type: 'rpm',
    keys: 'source-rpm',
    space: 'sles:distro:sles',
    releaseOf: whole,
    ecosystems: (release) => [
      `SUSE:Linux Enterprise ${product} ${suseRelease(release)}`,
      new RegExp(`^SUSE:Linux Enterprise Module for .* ${escaped(suseRelease(release))}$`),
    ],
    named: (release) => `SUSE:Linux Enterprise ${product} ${suseRelease(release)}`,
  }
}

function escaped(text: string): string {
  return text.replace(/[^\w ]/g, '\\$&')
}

const ubuntu: Family = {
  type: 'deb',
  keys: 'source',
  space: 'ubuntu:distro:ubuntu',
  releaseOf: whole,
  // Feeds write the release with and without `:LTS`; FIPS and real-time channels are other lines of versions.
  ecosystems: (release, _, hasUbuntuPro) => [
    `Ubuntu:${release}`,
    `Ubuntu:${release}:LTS`,
    ...(hasUbuntuPro ? [`Ubuntu:Pro:${release}`, `Ubuntu:Pro:${release}:LTS`] : []),
  ],
  named: (release) => `Ubuntu:${release}`,
}

const alpine = family('apk', 'origin', 'alpine:distro:alpine', alpineRelease, alpineEcosystem)
const opensuse = (space: string, releaseOf: Family['releaseOf'], named: Family['named']) =>
  family('rpm', 'source-rpm', space, releaseOf, named)
const centosNote =
  "CentOS publishes no advisories that can be read: Red Hat's are used, and a fix may have come later here"

/** By the id of os-release(5). Names that OSV does not define (Amazon, Oracle, Fedora) are those of feeds of our own. */
const families: ReadonlyMap<string, Family> = new Map(
  Object.entries<Family>({
    alpaquita: family('apk', 'origin', 'alpaquita:distro:alpaquita', whole, prefixed('Alpaquita')),
    almalinux: family('rpm', 'binary', 'almalinux:distro:almalinux', major, prefixed('AlmaLinux')),
    alpine,
    amzn: family('rpm', 'binary', 'amazon:distro:amazonlinux', whole, prefixed('Amazon Linux')),
    azurelinux: family('rpm', 'source-rpm', 'mariner:distro:azurelinux', major, prefixed('Azure Linux')),
    centos: {
      ...redHat(centosNote),
      // CentOS Stream runs ahead of the releases that the advisories are about.
      releaseOf: (distribution) => (/stream/i.test(distribution.name) ? null : major(distribution)),
    },
    chainguard: family('apk', 'origin', 'chainguard:distro:chainguard', rolling, prefixed('Chainguard')),
    cleanstart: family('apk', 'origin', 'cleanstart:distro:cleanstart', rolling, prefixed('CleanStart')),
    debian: family('deb', 'source', 'debian:distro:debian', debianRelease, prefixed('Debian')),
    echo: family('deb', 'source', 'echo:distro:echo', rolling, prefixed('Echo')),
    fedora: family('rpm', 'binary', 'fedora:distro:fedora', whole, prefixed('Fedora')),
    mageia: family('rpm', 'source-rpm', 'mageia:distro:mageia', major, prefixed('Mageia')),
    mariner: family('rpm', 'source-rpm', 'mariner:distro:mariner', major, prefixed('Azure Linux')),
    minimos: family('apk', 'origin', 'minimos:distro:minimos', rolling, prefixed('MinimOS')),
    ol: family('rpm', 'binary', 'oracle:distro:oraclelinux', major, prefixed('Oracle Linux')),
    openeuler: family('rpm', 'source-rpm', 'openeuler:distro:openeuler', whole, openEulerEcosystem),
    opensuse: opensuse('opensuse:distro:opensuse', whole, (release) => `openSUSE:Leap ${release}`),
    'opensuse-leap': opensuse('opensuse:distro:opensuse-leap', whole, (release) => `openSUSE:Leap ${release}`),
    'opensuse-tumbleweed': opensuse('opensuse:distro:opensuse-tumbleweed', rolling, () => 'openSUSE:Tumbleweed'),
    photon: family('rpm', 'source-rpm', 'photon:distro:photon', whole, prefixed('Photon OS')),
    postmarketos: {
      ...alpine,
      releaseOf: postmarketRelease,
      note: 'postmarketOS is built on Alpine, whose advisories are used: packages of its own have none',
    },
    rhel: redHat(),
    rocky: family('rpm', 'binary', 'rocky:distro:rocky', major, prefixed('Rocky Linux')),
    'sle-micro': suse('Micro'),
    sles: suse('Server'),
    sles_sap: suse('Server'),
    ubuntu,
    wolfi: family('apk', 'origin', 'wolfi:distro:wolfi', rolling, prefixed('Wolfi')),
  }),
)
