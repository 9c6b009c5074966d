import { Fault, oneLine } from '../core/fault.js'
import { limits } from '../core/limits.js'
import type { RegistryAccess } from './caller.js'

const pattern = /^(repository|registry)(?:\([a-z0-9-]+\))?:([a-zA-Z0-9._:/-]{1,300}):([a-z*]+(?:,[a-z*]+)*)$/

/**
 * Reads the scopes of a request for a registry token: `repository:ORG/NAME:pull,push`, `registry:catalog:*`
 * (distribution v3, "Token scope documentation").
 * @param texts each `scope` parameter; one may hold several, with spaces between
 * @throws Fault `invalid-argument`
 */
export function parseRegistryScopes(texts: readonly string[]): readonly RegistryAccess[] {
  const scopes = texts.flatMap((text) => text.split(' ')).filter((text) => text !== '')
  if (scopes.length > limits.registryScopes) {
    throw new Fault('invalid-argument', `more than ${limits.registryScopes} scopes`, { fix: 'Ask for fewer at once.' })
  }
  return scopes.map((text) => {
    const [, type, name, actions] = pattern.exec(text) ?? []
    if (type === undefined || name === undefined || actions === undefined) {
      throw new Fault('invalid-argument', `not a scope: '${oneLine(text.slice(0, 100))}'`, {
        fix: 'Write it as repository:ORG/NAME:pull.',
      })
    }
    return { type: type as RegistryAccess['type'], name, actions: [...new Set(actions.split(','))] }
  })
}
