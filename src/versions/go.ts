import { matchVersion } from './match-version.js'
import { semver } from './semver.js'
import { numberKey } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Go modules and toolchains. A module's version is a semantic version, the `v` left out or not; pseudo-versions
 * (`v0.0.0-20191109021931-daa7c04131f5`) and `+incompatible` need no rule of their own (go.dev/ref/mod#versions). `go1.21rc1`
 * is `1.21.0-rc.1`, as advisories on `stdlib` write it. `(devel)` is no version.
 */
export const go: VersionOrder = {
  name: 'go',
  key: (text) => (text.startsWith('go') ? toolchainKey(text) : text.startsWith('=') ? null : semver.key(text)),
}

const number = '(0|[1-9][0-9]*)'
const toolchain = new RegExp(`^go${number}(?:\\.${number}(?:\\.${number}|([a-z]+)${number}?)?)?(?:[- ].*)?$`)

/**
 * go/version of Go 1.26: from 1.21 on, `go1.21` is the language, before `go1.21rc1` and `go1.21.0`; earlier it is `go1.20.0`.
 * A maker's addition (`go1.21.0-fips`, `go1.21.0 X:boringcrypto`) does not count.
 */
function toolchainKey(text: string): string | null {
  const match = matchVersion(toolchain, text)
  if (match === null) return null
  const [, major = '', minor, patch, kind, nth = ''] = match
  if (kind !== undefined) return semver.key(`${major}.${minor}.0-${kind}${nth && `.${nth}`}`)
  const isLanguage = minor !== undefined && patch === undefined && isFrom21(minor)
  const release = semver.key(`${major}.${minor ?? '0'}.${patch ?? '0'}`)
  return isLanguage && release !== null ? `${release.slice(0, -1)}!` : release
}

function isFrom21(minor: string): boolean {
  return numberKey(minor) >= numberKey('21')
}
