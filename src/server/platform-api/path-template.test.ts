import { expect, it } from 'vitest'
import { compilePathTemplate } from './path-template.js'

const match = (template: string, path: string) => compilePathTemplate(template)(path.slice(1).split('/'))

it.each([
  ['/registry/v1/repos', '/registry/v1/repos', {}],
  ['/registry/v1/repos', '/registry/v1/repos/', null],
  ['/registry/v1/repos', '/registry/v1', null],
  ['/v1/repos/{repo_id=**}/diff', '/v1/repos/a/b/c/diff', { repo_id: 'a/b/c' }],
  ['/v1/repos/{repo_id=**}/diff', '/v1/repos/a/diff/diff', { repo_id: 'a/diff' }],
  ['/v1/repos/{repo_id=**}/diff', '/v1/repos/a/diff/', null],
  ['/v1/repos/{repo_id=**}/diff', '/v1/repos/diff', { repo_id: '' }],
  ['/v1/groups/{parent=**}', '/v1/groups', { parent: '' }],
  ['/v1/groups/{parent=**}', '/v1/groups/', { parent: '' }],
  ['/v1/groups/{parent=**}', '/v1/groups//', { parent: '/' }],
  ['/v1/groups/{parent=**}', '/v1/groups/a/', null],
  ['/v1/groups/{parent=**}', '/v1/groups/a//b', null],
  ['/v1/repos/{r=**}/digests/{digest=*}/size', '/v1/repos/a/b/digests/sha256:c/size', { r: 'a/b', digest: 'sha256:c' }],
  ['/v1/repos/{r=**}/digests/{digest=*}/size', '/v1/repos/digests/size', null],
  ['/v1/repos/{r=**}/digests/{digest=*}/size', '/v1/other/a/digests/c/size', null],
])('%s, %s', (template, path, expected) => {
  expect(match(template, path)).toEqual(expected)
})
