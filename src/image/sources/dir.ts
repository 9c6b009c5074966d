import { Fault, oneLine } from '../../core/fault.js'
import type { ImageSource } from './image-source.js'
import { statFile } from './local-files.js'

/** A root file system that lies unpacked on this machine. */
export const dir: ImageSource = {
  scheme: 'dir',
  location: 'ROOTFS',
  async open(location) {
    const found = await statFile(location)
    if (!found?.isDirectory()) {
      const what = found === null ? 'no such folder' : 'no folder'
      throw new Fault('file-unreadable', `${what}: '${oneLine(location)}'`, { data: { path: location } })
    }
    return {
      reference: `dir:${location}`,
      digest: null,
      mediaType: '',
      platform: null,
      config: Buffer.alloc(0),
      manifest: null,
      layers: [],
      folder: location,
      close: async () => undefined,
    }
  },
}
