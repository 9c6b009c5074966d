import type { ImageDiff } from '../../client/src/index.js'
import { Fault } from '../core/fault.js'
import { diffImages } from '../flows/diff-images.js'
import type { Operation } from './operation.js'
import { platformOf, requireReadable } from './packages.js'

/** What changed between two images. */
export const diff: Operation<'diff'> = {
  name: 'diff',
  summary: 'What changed between two images: packages, vulnerabilities, configuration, platforms, layers, licenses',
  capability: 'upstream.read',
  async run({ from, to, platform, files, evidence, since }, context) {
    const { services, cost, signal, warn, onProgress, documents } = context
    for (const source of [from, to]) requireReadable(source, context)
    const call = { cost, signal, warn, evidence, wantsFiles: files === true, ...(onProgress && { onProgress }) }
    // On a server an id only: which files it has is nobody's business.
    if (since !== undefined && context.readsLocalSources !== true && !isSnapshotId(since)) {
      throw new Fault('invalid-argument', 'a server takes the id of a snapshot only', {
        fix: 'Run it without --server.',
      })
    }
    const question = { from, to, platform: platformOf(platform), isPlatformAsked: platform !== undefined }
    const body = await diffImages(question, services, call, { ...documents, since })
    // The same document: the client's type is the one of core, without `readonly`.
    return { body: body as unknown as ImageDiff }
  },
}

function isSnapshotId(text: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(text)
}
