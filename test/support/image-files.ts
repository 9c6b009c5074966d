import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a file of the shared data is named to the command; a bare root file system is unpacked first. */
export function sourceOf(path: string): string {
  if (path.includes('/rootfs/')) {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-rootfs-'))
    execFileSync('tar', ['-xzf', path, '-C', folder, '--no-same-owner', '--exclude=dev/*'])
    return `dir:${folder}`
  }
  if (path.includes('/oci-layouts/')) return `oci:${path}`
  return /(?:docker-save|docker-archive|skopeo|kaniko)/.test(path) ? `docker-archive:${path}` : `oci-archive:${path}`
}
