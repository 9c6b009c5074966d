import { isMap, isScalar, isSeq, type Node, visit } from 'yaml'
import type { ImageFileKind } from './image-file.js'
import { YamlFile } from './yaml-file.js'

const lists = new Set(['containers', 'initContainers', 'ephemeralContainers'])

/**
 * Manifests of Kubernetes: the containers of pods wherever they stand, so that workloads, lists and custom resources with a pod template
 * in them are all read, and volumes of an image.
 */
export const kubernetes: ImageFileKind = {
  name: 'kubernetes',
  files: 'YAML with apiVersion and kind',
  fits: () => false,
  // At the left edge of a document: asking the parser would read every YAML file of a repository twice.
  looksLike: (text) => /^["']?apiVersion["']?\s*:/m.test(text) && /^["']?kind["']?\s*:/m.test(text),
  read(text) {
    const file = new YamlFile(text)
    for (const document of file.documents) {
      visit(document, {
        Pair(_, { key, value }) {
          const name = isScalar(key) ? String(key.value) : ''
          if (lists.has(name)) readContainers(file.followed(value), file)
          else if (name === 'volumes') readVolumes(file.followed(value), file)
        },
      })
    }
    return file.found()
  },
}

function readContainers(list: Node | undefined, file: YamlFile): void {
  for (const item of isSeq(list) ? list.items : []) {
    const container = file.followed(item)
    if (isMap(container)) file.addReference(file.get(container, 'image'))
  }
}

function readVolumes(list: Node | undefined, file: YamlFile): void {
  for (const item of isSeq(list) ? list.items : []) {
    const volume = file.followed(item)
    const image = isMap(volume) ? file.map(volume, 'image') : undefined
    if (image !== undefined) file.addReference(file.get(image, 'reference'))
  }
}
