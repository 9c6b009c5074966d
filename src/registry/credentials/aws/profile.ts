import { homedir } from 'node:os'
import { join } from 'node:path'
import { Fault, oneLine } from '../../../core/fault.js'
import type { CredentialContext } from '../credential.js'
import { readIfThere } from '../secret-file.js'

/** The settings of one profile, keys in lower case; those of the credentials file win. */
export type AwsProfile = ReadonlyMap<string, string>

/** All profiles of the user, and the name of the one to use. */
export interface AwsProfiles {
  readonly name: string
  readonly profiles: ReadonlyMap<string, AwsProfile>
}

/**
 * Reads `~/.aws/config` and `~/.aws/credentials`, or the files that `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`
 * name (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").
 * @throws Fault `file-unreadable`; `invalid-config` for an `AWS_PROFILE` that is in neither
 */
export async function readProfiles(environment: CredentialContext['environment']): Promise<AwsProfiles> {
  const folder = join(environment.HOME || homedir(), '.aws')
  const config = await readIfThere(environment.AWS_CONFIG_FILE || join(folder, 'config'), 'the configuration of AWS')
  const path = environment.AWS_SHARED_CREDENTIALS_FILE || join(folder, 'credentials')
  const credentials = await readIfThere(path, 'the credentials of AWS')
  const profiles = new Map<string, Map<string, string>>()
  const add = (text: string | null, nameOf: (section: string) => string | null) => {
    for (const [section, settings] of parseIni(text ?? '')) {
      const name = nameOf(section)
      if (name !== null) profiles.set(name, new Map([...(profiles.get(name) ?? []), ...settings]))
    }
  }
  add(config, (section) => (section === 'default' ? section : (/^profile\s+(.+)$/.exec(section)?.[1] ?? null)))
  add(credentials, (section) => section)
  const named = environment.AWS_PROFILE || environment.AWS_DEFAULT_PROFILE
  const name = named || 'default'
  if (named && !profiles.has(name)) {
    throw new Fault('invalid-config', `AWS_PROFILE names '${oneLine(name)}', which the files of AWS do not have`, {
      fix: 'Name one that `aws configure list-profiles` shows, or unset AWS_PROFILE.',
    })
  }
  return { name, profiles }
}

/** Sections and their settings. Indented lines belong to a setting that is a list of others: none that is of use here. */
function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | null = null
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const [, name] = /^\s*\[\s*(.*?)\s*\]/.exec(line) ?? []
    if (name !== undefined) {
      section = sections.get(name) ?? new Map()
      sections.set(name, section)
      continue
    }
    const [, key, value] = /^([^\s=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section !== null && key !== undefined && value !== undefined) {
      section.set(key.toLowerCase(), value.replace(/\s+[#;].*$/, ''))
    }
  }
  return sections
}
