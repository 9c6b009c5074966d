import { parseHost } from '../../core/host.js'

/**
 * The name of a repository as iam knows it, of the one in a URL: `registry.example.com_5000/app` is that of
 * `registry.example.com:5000/app`, because a name may hold no colon (OCI distribution v1.1.1, "Pulling manifests"), and no host
 * an underscore. `docker.io/nginx`, and `library/nginx` as mirrors of Docker Hub are asked, are `docker.io/library/nginx`.
 * @param namespace the host that stands in `ns`; null when there is none
 * @throws Fault `invalid-reference` for a namespace that is no host
 */
export function canonicalName(name: string, namespace: string | null): string {
  if (namespace !== null) return canonicalName(`${parseHost(namespace)}/${name}`, null)
  const [first = '', ...rest] = name.split('/')
  if (first === 'library' && rest.length > 0) return `docker.io/${name}`
  if (first === 'docker.io' && rest.length === 1) return `docker.io/library/${rest[0]}`
  return isHost(first) ? [first.replace(/_(\d{1,5})$/, ':$1'), ...rest].join('/') : name
}

/** The inverse of {@link canonicalName}. */
export function nameOnWire(name: string): string {
  return name.replace(/^([^/:]+):(\d{1,5})(?=\/)/, '$1_$2')
}

function isHost(first: string): boolean {
  return first.includes('.') || /^localhost(?:_\d{1,5})?$/.test(first)
}
