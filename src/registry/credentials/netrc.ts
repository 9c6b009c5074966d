import { homedir } from 'node:os'
import { join } from 'node:path'
import { isNameOfHost } from '../../core/host.js'
import { type CredentialPlugin, passwordCredential } from './credential.js'
import { readIfThere, readSecretFile } from './secret-file.js'

/**
 * The file of curl, git and ftp: `$NETRC`, else `~/.netrc`. A machine is a registry's host, with its port where it is not 443;
 * its `default` is not used: it would send one password to every host that anybody names.
 */
export const netrcCredentials: CredentialPlugin = {
  name: 'netrc',
  open: ({ environment }) => ({
    async find({ host }) {
      const { NETRC } = environment
      const path = NETRC || join(environment.HOME || homedir(), process.platform === 'win32' ? '_netrc' : '.netrc')
      const text = NETRC ? await readSecretFile(path, 'NETRC') : await readIfThere(path, 'netrc')
      const found = parseNetrc(text ?? '').find(({ machine }) => isNameOfHost(machine, host))
      return found === undefined ? null : passwordCredential(found.login, found.password)
    },
  }),
}

interface Machine {
  readonly machine: string
  login: string
  password: string
}

/** Those with a login and a password. Quotes and escapes as curl 8 reads them; a `macdef` ends with an empty line. */
function parseNetrc(text: string): Machine[] {
  const plain = text.replace(/^[ \t]*macdef[\s\S]*?(\r?\n[ \t]*\r?\n|$(?![\s\S]))/gm, '\n').replace(/^[ \t]*#.*$/gm, '')
  const words = [...plain.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(
    ([, quoted, bare = '']) => quoted?.replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char) ?? bare,
  )
  const machines: Machine[] = []
  let current: Machine | null = null
  for (let index = 0; index < words.length; index++) {
    const word = words[index]
    if (word === 'default') current = null
    else if (word === 'machine') {
      current = { machine: words[++index] ?? '', login: '', password: '' }
      machines.push(current)
    } else if (word === 'login' || word === 'password') {
      const value = words[++index] ?? ''
      if (current !== null) current[word] = value
    } else if (word === 'account') index++
  }
  return machines.filter(({ login, password }) => login !== '' && password !== '')
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
