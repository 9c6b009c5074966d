import type { Coordinates, JavaArchive } from './read-archive.js'

/** A Maven artifact in an archive. */
export interface JavaPackage extends Coordinates {
  /** What the archive's manifest names as its license, where the archive is this artifact. */
  readonly license: string
}

const identifier = /^[A-Za-z0-9][\w.+-]{0,199}$/
const groupName = /^[A-Za-z][\w-]*(?:\.[\w-]+)+$/
/** Parts of versions, so that `log4j-1.2-api-2.17.1` is not version `1.2-api-2.17.1` of `log4j`. */
const versionPart =
  /^(?:v?\d\w*|alpha\w*|beta\w*|rc\w*|cr\w*|m\d*|milestone\w*|snapshot|final|ga|release|sp\w*|stable|jre\w*|android|jdk\w*|java\d*|incubating|redhat|build\w*|b\w?\d*|pre\w*|dev|ea\w*|patch\w*|sec\w*|[0-9a-f]{7,40})$/i

/**
 * The artifacts that an archive is, and that were copied into it (shaded): by each `pom.properties`; where none is the
 * archive's own, by its file name (`ARTIFACT-VERSION.jar`, as Maven and Gradle write it) and its manifest. Groups without a
 * `pom.properties` are guessed. Nothing is said of an archive that
 * has no version.
 */
export function identify({ poms, pomFolders, manifest }: JavaArchive, fileName: string): JavaPackage[] {
  const stem = fileName.slice(fileName.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '')
  const named = splitStem(stem, versionOf(manifest))
  const license = manifest['bundle-license'] ?? ''
  const found: JavaPackage[] = []
  let isOwnFound = false
  for (const { group, artifact, version } of poms) {
    const isNamed = artifact === named.artifact
    const isOwn = isNamed || (named.version !== '' && version === named.version)
    if (!identifier.test(artifact)) continue
    const known = [version, isNamed ? named.version : '', isNamed ? versionOf(manifest) : ''].find(isVersion)
    if (known === undefined) continue
    isOwnFound ||= isOwn || (poms.length === 1 && named.version === '')
    found.push({
      group: identifier.test(group) ? group : '',
      artifact,
      version: known,
      license: isNamed || poms.length === 1 ? license : '',
    })
  }
  if (isOwnFound || (found.length > 0 && named.version === '')) return found
  const own = identifyByName(named, pomFolders, manifest)
  return own === null ? found : [{ ...own, license }, ...found]
}

function identifyByName(
  named: { artifact: string; version: string },
  pomFolders: readonly string[],
  manifest: JavaArchive['manifest'],
): Coordinates | null {
  const version = named.version || versionOf(manifest)
  if (!isVersion(version)) return null
  const symbolic = symbolicName(manifest)
  const titles = [
    manifest['short-name'],
    manifest['extension-name'],
    manifest['implementation-title'],
    lastOf(symbolic),
  ]
  // A file name without a version may be anybody's (`app.jar`).
  const artifact =
    named.version === '' ? (titles.find((title) => identifier.test(title ?? '')) ?? named.artifact) : named.artifact
  if (!identifier.test(artifact)) return null
  const folder = pomFolders.find((path) => path.endsWith(`/${artifact}`))
  const group = folder === undefined ? guessGroup(artifact, symbolic, manifest) : folder.slice(0, folder.indexOf('/'))
  return { group, artifact, version }
}

/** Without anything that tells, the artifact's own name: the rule of the years when archives had no `pom.properties`. */
function guessGroup(artifact: string, symbolic: string, manifest: JavaArchive['manifest']): string {
  for (const given of [manifest['group-id'], manifest['implementation-vendor-id']]) {
    // Maven 1 wrote `org.apache` for every project of the foundation, and no artifact is in that group.
    if (given !== undefined && groupName.test(given) && given !== 'org.apache') return given
  }
  for (const name of [symbolic, manifest['automatic-module-name'] ?? '']) {
    if (!groupName.test(name)) continue
    // OSGi's tools write GROUP.ARTIFACT.
    return name.endsWith(`.${artifact}`) ? name.slice(0, -artifact.length - 1) : name.slice(0, name.lastIndexOf('.'))
  }
  return artifact
}

/** `org.example.name;singleton:=true` without its directives. */
function symbolicName(manifest: JavaArchive['manifest']): string {
  return (manifest['bundle-symbolicname'] ?? '').split(';', 1)[0]?.trim() ?? ''
}

function lastOf(name: string): string {
  return groupName.test(name) ? name.slice(name.lastIndexOf('.') + 1) : ''
}

function versionOf(manifest: JavaArchive['manifest']): string {
  const keys = ['implementation-version', 'plugin-version', 'bundle-version', 'specification-version']
  const versions = keys.map((key) => manifest[key]?.split(/\s/, 1)[0] ?? '')
  return versions.find(isVersion) ?? ''
}

/** Some manifests keep the `${…}` of a template. */
function isVersion(text: string): boolean {
  return /^[\w.+~-]{1,200}$/.test(text) && /\d/.test(text)
}

/** File systems have 255; members of archives may have any. */
const maxStemLength = 255

/** `guava-31.1-jre` is `guava` and `31.1-jre`; the version is empty where the name has none. */
function splitStem(stem: string, told: string): { artifact: string; version: string } {
  let first: { artifact: string; version: string } | undefined
  if (stem.length > maxStemLength) return { artifact: stem, version: '' }
  for (let at = stem.indexOf('-'); at > 0; at = stem.indexOf('-', at + 1)) {
    const version = stem.slice(at + 1)
    if (!/^v?\d/.test(version) || !isVersion(version)) continue
    const split = { artifact: stem.slice(0, at), version }
    // Behind a number that begins no version, only one with a point is: `name-2-final` has none.
    const mayBe = first === undefined || version.includes('.')
    if (mayBe && version.split(/[.+_~-]/).every((part) => versionPart.test(part))) return split
    first ??= split
  }
  if (told !== '' && stem.endsWith(`-${told}`)) return { artifact: stem.slice(0, -told.length - 1), version: told }
  return first ?? { artifact: stem, version: '' }
}
