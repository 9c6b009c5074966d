import type { ImageFileKind } from './image-file.js'
import { YamlFile } from './yaml-file.js'

/**
 * Compose files (https://github.com/compose-spec/compose-spec): `services.*.image`. That of a service which is built is the name that
 * the result gets, and is left alone.
 */
export const compose: ImageFileKind = {
  name: 'compose',
  files: 'compose.yaml, docker-compose.yml, compose.NAME.yaml',
  fits: (path) => /(?:^|[/._-])compose(?:[._-][^/]*)?\.ya?ml$/i.test(path),
  read(text) {
    const file = new YamlFile(text)
    for (const root of file.roots()) {
      for (const service of file.maps(root, 'services')) {
        if (file.get(service, 'build') === undefined) file.addReference(file.get(service, 'image'))
      }
    }
    return file.found()
  },
}
