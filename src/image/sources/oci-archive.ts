import { Fault } from '../../core/fault.js'
import { openArchive } from './archive-files.js'
import type { ImageSource } from './image-source.js'
import { splitLocation } from './local-files.js'
import { openLayout, readLayoutIndex } from './oci-layout.js'

/** A tar archive of an OCI layout, packed or not. */
export const ociArchive: ImageSource = {
  scheme: 'oci-archive',
  location: 'FILE[:TAG]',
  async open(location, options) {
    const { path, tag } = await splitLocation(location)
    const files = await openArchive(path, options.clock, options.signal)
    try {
      const index = await readLayoutIndex(files, options.signal)
      if (index === null) {
        throw new Fault('unsupported-media', 'not an OCI archive: it has no index.json with images', {
          fix: 'If `docker save` wrote it, name it as `docker-archive:FILE`.',
        })
      }
      return await openLayout(files, index, tag, `oci-archive:${location}`, options)
    } catch (error) {
      await files.close()
      throw error
    }
  },
}
