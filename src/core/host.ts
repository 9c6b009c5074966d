import { Fault, isFault, oneLine } from './fault.js'

/**
 * A registry's host as references name it: lower case, `:443` dropped, Docker Hub always `docker.io`. With a port where it
 * is not 443, IPv6 in brackets.
 */
export type Host = string & { readonly __brand: 'Host' }

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*\\.?|\\[[0-9a-f:.]+\\])(?::\\d{1,5})?$`)

const dockerHubNames = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'www.docker.io',
])

/**
 * Reads a registry's host, `name[:port]`. Spellings that a URL parser would turn into another address (`127.1`,
 * `0x7f.0.0.1`) are refused, so that what is checked is what is connected to.
 * @throws Fault `invalid-reference`
 */
export function parseHost(text: string): Host {
  const lower = text.toLowerCase()
  const refuse = () => new Fault('invalid-reference', `not a host: '${oneLine(text.slice(0, 80))}'`)
  if (lower.length > 255 || !hostPattern.test(lower)) throw refuse()
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(lower) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) throw refuse()
  const bareName = name.endsWith('.') ? name.slice(0, -1) : name
  if (dockerHubNames.has(bareName) && (port === undefined || port === '443')) return 'docker.io' as Host
  if (!URL.canParse(`https://${bareName}/`)) throw refuse()
  const parsedName = new URL(`https://${bareName}/`).hostname
  if (parsedName !== bareName && !bareName.startsWith('[')) throw refuse()
  return `${parsedName}${port === undefined || Number(port) === 443 ? '' : `:${Number(port)}`}` as Host
}

/** Whether `name`, from a file or variable that knows other things too, names that host; false for what names none. */
export function isNameOfHost(name: string, host: Host): boolean {
  try {
    return parseHost(name) === host
  } catch (error) {
    if (isFault(error, 'invalid-reference')) return false
    throw error
  }
}

/** `host` without its port and brackets. */
export function hostName(host: Host): string {
  const name = /^\[(.*)\](?::\d+)?$/.exec(host)?.[1] ?? host.replace(/:\d+$/, '')
  return name
}

/** The host that speaks the registry protocol for `host`: another name only for Docker Hub. */
export function wireHost(host: Host): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host
}

/**
 * The keys under which credentials for `host` may be filed, the most usual first (docker's config.json uses a URL for
 * Docker Hub, and some tools spell out port 443).
 */
export function credentialKeys(host: Host): readonly string[] {
  if (host === 'docker.io') {
    return [
      'https://index.docker.io/v1/',
      'index.docker.io',
      'docker.io',
      'registry-1.docker.io',
      'registry.hub.docker.com',
    ]
  }
  return /:\d+$/.test(host) ? [host] : [host, `${host}:443`]
}

/** True for `localhost`, names below it, and loopback addresses: where plain HTTP may be tried without being asked for. */
export function isLoopbackHost(host: Host): boolean {
  const name = hostName(host)
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  return /^127(?:\.\d{1,3}){3}$/.test(name) || name === '::1'
}
