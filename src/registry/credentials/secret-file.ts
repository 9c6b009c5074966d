import { readFile, stat } from 'node:fs/promises'
import { Fault, oneLine } from '../../core/fault.js'
import { limits } from '../../core/limits.js'

/**
 * Reads a file of credentials that was named; read each time, so that a rotated one is taken up.
 * @throws Fault `file-unreadable`, `too-large`
 */
export async function readSecretFile(path: string, what: string): Promise<string> {
  const text = await readIfThere(path, what)
  if (text !== null) return text
  throw new Fault('file-unreadable', `${what}: there is no file ${oneLine(path)}`)
}

/** As {@link readSecretFile}; null where there is no such file. */
export async function readIfThere(path: string, what: string): Promise<string | null> {
  try {
    const { size } = await stat(path)
    if (size > limits.credentialFileBytes) {
      throw new Fault('too-large', `${what}: ${oneLine(path)} is larger than ${limits.credentialFileBytes} bytes`)
    }
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new Fault('file-unreadable', `${what}: cannot read ${oneLine(path)} (${code})`, { cause })
  }
}

/** The object of a JSON file. @throws Fault `file-unreadable`, `too-large`, `invalid-config` */
export async function readJsonFile(path: string, what: string): Promise<Record<string, unknown>> {
  return parseJson(await readSecretFile(path, what), path, what)
}

/** As {@link readJsonFile}, of its text. */
export function parseJson(text: string, path: string, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which is secret.
    throw new Fault('invalid-config', `${what}: ${oneLine(path)} is not JSON`, { fix: 'Mend it, or make it anew.' })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Fault('invalid-config', `${what}: ${oneLine(path)} holds no JSON object`, {
    fix: 'Mend it, or make it anew.',
  })
}

/** A text of such an object. @throws Fault `invalid-config` */
export function requireField(fields: Readonly<Record<string, unknown>>, name: string, what: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new Fault('invalid-config', `${what} has no ${name}`, { fix: `Give it a ${name}, or make it anew.` })
}

/** A URL of such an object or of the environment. @throws Fault `invalid-config` */
export function requireUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw new Fault('invalid-config', `${name} is not an http:// or https:// URL`, { fix: `Mend ${name}.` })
}
