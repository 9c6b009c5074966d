import { type Digest, digestOf } from '../../src/core/digest.js'
import { applyEdits } from '../../src/pin/apply-edits.js'
import type { ImageFileKind } from '../../src/pin/image-file.js'

/** The digest that {@link pinText} writes. */
export const newDigest: Digest = digestOf('new')
/** One that was there before. */
export const oldDigest: Digest = digestOf('old')

/** What becomes of a text when every place of it is pinned, or moved, to {@link newDigest}, and what was found in it. */
export function pinText(kind: ImageFileKind, text: string, dropsTag = false) {
  const { sites, open } = kind.read(text)
  const edits = sites.flatMap((site) => site.edits({ digest: newDigest, dropsTag }))
  return {
    text: applyEdits(text, edits).replaceAll(newDigest, 'NEW').replaceAll(oldDigest, 'OLD'),
    images: sites.map(({ line, image }) => `${line} ${image.replaceAll(oldDigest, 'OLD')}`),
    assumed: sites.flatMap(({ assumed }) => assumed),
    open: open.map(
      ({ line, text, reason, isPinned }) =>
        `${line} ${text.replaceAll(oldDigest, 'OLD')}: ${reason}${isPinned ? ' (pinned)' : ''}`,
    ),
  }
}
