/** Settings of a build by key: `-ldflags`, `vcs.revision`, `vcs.time`, `vcs.modified`. */
export type BuildSettings = ReadonlyMap<string, string>

const versionValue = /^(?:refs\/tags\/)?v?(\d+(?:\.\d+){1,3}(?:[-+._~][0-9A-Za-z.+_~-]{0,100})?)$/
/** Variables that end so and tell another version than the program's own. */
const othersVersions = /(?:go|api|schema|min|protocol|config|spec|chart|kube|k8s)_?version$/

/**
 * The version of a main module that was built from a working tree: the linker's `-X …version=1.2.3` where one was given, else
 * a pseudo-version (go.dev/ref/mod#pseudo-versions) of the commit that the build names; else `(devel)`.
 * @param module the main module's path
 */
export function mainVersion(module: string, settings: BuildSettings): string {
  return versionOfFlags(module, settings.get('-ldflags') ?? '') ?? versionOfCommit(settings) ?? '(devel)'
}

function versionOfFlags(module: string, flags: string): string | undefined {
  let best: { rank: number; version: string } | undefined
  for (const [name, value] of assignments(flags)) {
    const version = versionValue.exec(value)?.[1]
    const dot = name.lastIndexOf('.')
    const variable = name.slice(dot + 1).toLowerCase()
    if (version === undefined || othersVersions.test(variable)) continue
    const nameRank =
      variable === 'version' ? 0 : variable.endsWith('version') ? 1 : /(?:tag|^ver|^release)$/.test(variable) ? 2 : -1
    if (nameRank < 0) continue
    // Programs set their version in a package of their own, or in one that they share (github.com/prometheus/common/version).
    const importPath = name.slice(0, dot)
    const isOwn = importPath === module || importPath.startsWith(`${module}/`)
    const rank = (importPath === 'main' ? 0 : isOwn ? 3 : 6) + nameRank
    if (best === undefined || rank < best.rank) best = { rank, version: `v${version}` }
  }
  return best?.version
}

/** What `-X` sets, in order: `-X name=value`, `-X=name=value`, either quoted. */
function* assignments(flags: string): Generator<[string, string], void> {
  let isNext = false
  for (const [token] of flags.matchAll(/'[^']*'|"[^"]*"|[^\s'"]+(?:'[^']*'|"[^"]*")?/g)) {
    const text = token.replaceAll(/['"]/g, '')
    const assignment = isNext ? text : /^--?X=(.*)$/s.exec(text)?.[1]
    isNext = text === '-X' || text === '--X'
    const equals = assignment?.indexOf('=') ?? -1
    if (assignment !== undefined && equals > 0) yield [assignment.slice(0, equals), assignment.slice(equals + 1).trim()]
  }
}

function versionOfCommit(settings: BuildSettings): string | undefined {
  const revision = settings.get('vcs.revision') ?? ''
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(settings.get('vcs.time') ?? '') ?? []
  if (!/^[0-9a-f]{12,64}$/.test(revision) || second === undefined) return undefined
  const time = `${year}${month}${day}${hour}${minute}${second}`
  return `v0.0.0-${time}-${revision.slice(0, 12)}${settings.get('vcs.modified') === 'true' ? '+dirty' : ''}`
}
