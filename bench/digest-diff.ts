/**
 * What an answer of the Image Diff API takes: `npm run bench -- digest-diff [--packages 400] [--rounds 200]`. Two images of that many
 * packages, half of them changed, are compared by their digests: the first answer, which reads their layers; one that is made of
 * their stored inventories (another process); and the same asked again.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addressesOf } from '../src/flows/authority.js'
import { diffDigests } from '../src/flows/digest-image.js'
import { openServices } from '../src/flows/open.js'
import { buildImage } from '../src/test-registry/build-image.js'
import { startTestRegistry } from '../src/test-registry/serve.js'
import { seeTag, viewerOf } from '../test/support/see-tag.js'

const { values } = parseArgs({
  options: { packages: { type: 'string', default: '400' }, rounds: { type: 'string', default: '200' } },
})
const environment = { HOME: mkdtempSync(join(tmpdir(), 'tidemark-bench-')) }
const registry = await startTestRegistry()
const open = () => openServices({ environment, addresses: () => addressesOf('http://127.0.0.1:1') })

function image(release: number) {
  const installed = Array.from({ length: Number(values.packages) }, (_, index) => {
    return `P:package-${index}\nV:1.${index % 2 === 0 ? release : 0}.${index}-r0\nA:x86_64\nL:MIT\no:package-${index}\n`
  }).join('\n')
  return buildImage({
    ...{ os: 'linux', architecture: 'amd64', created: '2026-01-01T00:00:00Z' },
    layers: [
      [
        { path: 'etc/os-release', content: 'ID=wolfi\nVERSION_ID=20230201\n' },
        { path: 'lib/apk/db/installed', content: `${installed}\n` },
      ],
    ],
  })
}

let services = open()
const store = await services.store()
const { uidp } = await store.groups.create({ parent: '/', name: 'acme', description: '', isPublic: false })
const tag = `${registry.address}/app:1`
registry.content.putImage('app:1', image(1))
const fromDigest = await seeTag(tag, services)
registry.content.putImage('app:1', image(2))
const toDigest = await seeTag(tag, services)
const [bound] = (await store.repositories.list()).filter(({ upstream }) => upstream.path === 'app')
const more = { description: '', isPublic: null, rule: null }
const upstream = bound?.upstream ?? (() => process.exit(1))()
const repository = (await store.repositories.create({ group: uidp, name: 'app', upstream, ...more })).uidp

async function ask(): Promise<number> {
  const call = {
    ...{ services, caller: viewerOf(uidp), signal: new AbortController().signal, warn: () => undefined },
  }
  const begin = performance.now()
  const { response } = await diffDigests({ repository, fromDigest, toDigest }, call)
  const ms = performance.now() - begin
  if (response.packages.changed.length !== Number(values.packages) / 2) throw new Error('not the answer')
  return ms
}

console.log(`first, reading layers    ${(await ask()).toFixed(1)} ms`)
await services.close()
services = open()
await services.store()
console.log(`from stored inventories  ${(await ask()).toFixed(1)} ms`)
const times: number[] = []
for (let round = 0; round < Number(values.rounds); round++) times.push(await ask())
times.sort((a, b) => a - b)
const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2)
console.log(`asked again              ${at(0.5)} ms median, ${at(0.99)} ms at the 99th percentile`)
await services.close()
await registry.close()
