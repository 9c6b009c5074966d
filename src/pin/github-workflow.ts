import { isMap, isScalar, type YAMLMap } from 'yaml'
import type { ImageFileKind } from './image-file.js'
import { YamlFile } from './yaml-file.js'

const scheme = 'docker://'

/**
 * Workflows and actions of GitHub (https://docs.github.com/actions/reference): `container`, `services.*.image` and
 * `uses: docker://…` of jobs and steps, and the image of an action that runs in one.
 */
export const githubWorkflow: ImageFileKind = {
  name: 'github-workflow',
  files: '.github/workflows/*.yml, action.yml',
  fits: (path) => /(?:^|\/)\.(?:github|gitea|forgejo)\/workflows\/[^/]+\.ya?ml$|(?:^|\/)action\.ya?ml$/i.test(path),
  read(text) {
    const file = new YamlFile(text)
    for (const root of file.roots()) {
      for (const job of file.maps(root, 'jobs')) readJob(job, file)
      const runs = file.map(root, 'runs')
      if (runs === undefined) continue
      addUsed(runs, 'image', file)
      for (const step of file.maps(runs, 'steps')) addUsed(step, 'uses', file)
    }
    return file.found()
  },
}

function readJob(job: YAMLMap, file: YamlFile): void {
  const container = file.get(job, 'container')
  if (isMap(container)) file.addReference(file.get(container, 'image'))
  else file.addReference(container)
  for (const service of file.maps(job, 'services')) file.addReference(file.get(service, 'image'))
  for (const step of file.maps(job, 'steps')) addUsed(step, 'uses', file)
}

/** Actions of repositories are none of ours. */
function addUsed(map: YAMLMap, key: string, file: YamlFile): void {
  const used = file.get(map, key)
  if (isScalar(used) && String(used.value).startsWith(scheme)) file.addReference(used, scheme)
}
