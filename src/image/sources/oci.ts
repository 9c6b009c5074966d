import { Fault } from '../../core/fault.js'
import type { ImageFiles, ImageSource } from './image-source.js'
import { folderFiles, splitLocation } from './local-files.js'
import { openLayout, readLayoutIndex } from './oci-layout.js'

/** A folder in the form of OCI image specification v1.1.1, image-layout.md. */
export const oci: ImageSource = {
  scheme: 'oci',
  location: 'DIR[:TAG]',
  async open(location, options) {
    const { path, tag } = await splitLocation(location)
    const files: ImageFiles = folderFiles(path)
    const index = await readLayoutIndex(files, options.signal)
    if (index === null)
      throw new Fault('unsupported-media', 'not an OCI layout: the folder has no index.json with images')
    return openLayout(files, index, tag, `oci:${location}`, options)
  },
}
