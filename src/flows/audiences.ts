import { Fault, oneLine } from '../core/fault.js'
import type { Addresses } from './authority.js'

/** A good token of the other surface. */
export function wrongAudience(wanted: string): Fault {
  return new Fault('wrong-audience', `the token is for another audience than ${wanted}`, {
    fix: `Get one with \`tidemark auth token --audience ${wanted}\`.`,
  })
}

/**
 * The audiences that a token is asked for: ours only, or somebody could have us sign what another service believes.
 * @param wanted empty: the platform's
 * @throws Fault `invalid-argument`
 */
export function audiencesOf(wanted: readonly string[], { platform, registry }: Addresses): readonly string[] {
  const found = new Set<string>()
  for (const text of wanted) {
    const bare = text.replace(/\/+$/, '')
    if (bare !== platform && bare !== registry) {
      throw new Fault('invalid-argument', `no tokens are made for the audience '${oneLine(text.slice(0, 200))}'`, {
        fix: `Write ${platform} or ${registry}.`,
      })
    }
    found.add(bare)
  }
  return found.size === 0 ? [platform] : [...found]
}
