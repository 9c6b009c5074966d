import { readFile } from 'node:fs/promises'
import { Fault, oneLine } from '../core/fault.js'
import { Secret } from '../core/secret.js'
import { readAdminToken } from '../iam/admin-token.js'
import { roles } from '../iam/capabilities.js'
import type { AuthSettings } from '../iam/settings.js'
import { createStaticTokens, type StaticTokens, type TokenGrant } from '../iam/static-tokens.js'

/** Reads the admin token and the token files of the configuration. @throws Fault `file-unreadable`, `invalid-config` */
export async function readStaticTokens(settings: AuthSettings, dataFolder: string): Promise<StaticTokens> {
  const grants: TokenGrant[] = []
  for (const { name, secretFile, role } of settings.tokens ?? []) {
    grants.push({ name, token: await readSecretFile(secretFile), capabilities: roles[role] })
  }
  return createStaticTokens(await readAdminToken(dataFolder), grants)
}

/**
 * Reads a secret that others show to us: the first line of a file, 16 characters at least.
 * @throws Fault `file-unreadable`, `invalid-config`
 */
export async function readSecretFile(path: string): Promise<Secret> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).split(/\r?\n/)[0]?.trim() ?? ''
  } catch (cause) {
    throw new Fault('file-unreadable', `cannot read the token file ${oneLine(path)}`, { cause })
  }
  if (text.length < 16) {
    throw new Fault('invalid-config', `the token in ${oneLine(path)} is shorter than 16 characters`, {
      fix: `Make one with \`openssl rand -base64 32 > ${oneLine(path)}\`.`,
    })
  }
  return new Secret(text)
}
