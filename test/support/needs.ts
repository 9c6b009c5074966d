import { existsSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { describe, it } from 'vitest'

/** Where the shared data lies: `TIDEMARK_SHARED`, else `../shared` beside the project. Null where it is absent. */
export const sharedFolder: string | null = findFolder(process.env.TIDEMARK_SHARED ?? resolve('..', 'shared'))

/** A program that some tests drive. */
export type Program =
  | 'docker-registry'
  | 'skopeo'
  | 'crane'
  | 'regctl'
  | 'oras'
  | 'podman'
  | 'conformance'
  | 'umoci'
  | 'buildah'
  | 'htpasswd'
  | 'openssl'
  | 'curl'
  | 'jq'
  | 'redis-server'
  | 'etcd'
  | 'chromium'
  | 'tidemark-go-sdk'
  | 'unshare'
  | 'ip'
  | 'dpkg'
  | 'rpm'
  | 'tar'
  | 'zstd'

/**
 * A `describe` for tests that need programs of the system, or the shared data. Where one is missing the tests are skipped
 * with a name and a reason in the output; with `TIDEMARK_NO_SKIP=1` a missing program is a failure (absent shared data
 * stays a skip: it is no part of the project).
 */
export function describeWith(
  needs: {
    readonly programs?: readonly Program[]
    readonly shared?: boolean
    /** The gate installs them only where Go is: else they are skipped by name there too. */
    readonly isExtra?: boolean
  },
  name: string,
  body: (found: { readonly shared: string }) => void,
): void {
  const missing = (needs.programs ?? []).filter((program) => !isOnPath(program))
  if (needs.shared && sharedFolder === null) {
    describe.skip(`${name} [skipped: shared data is absent]`, () => body({ shared: '' }))
  } else if (missing.length === 0) {
    describe(name, () => body({ shared: sharedFolder ?? '' }))
  } else if (process.env.TIDEMARK_NO_SKIP === '1' && needs.isExtra !== true) {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(`not installed: ${missing.join(', ')}`)
      })
    })
  } else {
    describe.skip(`${name} [skipped: ${missing.join(', ')} not installed]`, () => body({ shared: sharedFolder ?? '' }))
  }
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

function findFolder(path: string): string | null {
  return existsSync(path) && statSync(path).isDirectory() ? resolve(path) : null
}
