import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import type { ImageDiff, ScanReport } from '../client/src/index.js'
import { createCli, type TestCli } from './support/cli.js'
import { sourceOf } from './support/image-files.js'
import { describeWith } from './support/needs.js'

interface ExpectedFindings {
  readonly target: string
  readonly findings: readonly { readonly package: string; readonly id: string; readonly fixed: string }[]
}

describeWith({ shared: true }, 'real images by real advisories, from the command to the snapshot', ({ shared }) => {
  const data = join(shared, 'data')
  let cli: TestCli
  beforeAll(async () => {
    cli = createCli()
    const { code, stderr } = await cli.run(
      ...['db', 'import', join(data, 'vulns/osv/debian-dsa.jsonl.gz'), join(data, 'eol/debian.json')],
    )
    expect([code, stderr]).toEqual([0, ''])
  })

  it.each(['nginx-1.17-buster__dsa', 'goof-jessie__dsa'])('%s', async (name) => {
    const path = join(data, 'expected/findings', `${name}.json`)
    const expected = JSON.parse(readFileSync(path, 'utf8')) as ExpectedFindings
    const source = sourceOf(join(data, expected.target))
    const { code, stdout } = await cli.run('scan', source, '--platform', 'linux/amd64', '-o', 'json', '--allow-partial')
    const report = JSON.parse(stdout) as ScanReport
    expect(code).toBe(0)
    const lines = (list: readonly string[]) => [...list].sort()
    expect(lines(report.findings.map((one) => `${one.package.name} ${one.id} ${one.fixedVersion}`))).toEqual(
      lines(expected.findings.map((one) => `${one.package} ${one.id} ${one.fixed}`)),
    )
    // Both releases are long out of support: never a clean answer without saying so.
    expect(report.warnings.join('\n')).toMatch(/security support of Debian/)
  })

  it('nginx one month later: 17 advisories, all as before', async () => {
    const [from, to] = ['nginx-1.17-buster-docker-save.tar', 'nginx-2019-09-buster-skopeo.tar']
    const sides = [from, to].map((name) => sourceOf(join(data, 'images', `${name}`)))
    const { vulnerabilities } = (await cli.json('diff', ...sides, '--platform', 'linux/amd64')) as ImageDiff
    expect(vulnerabilities).toMatchObject({ introduced: [], fixed: [] })
    expect(new Set(vulnerabilities?.unchanged.map(({ id }) => id)).size).toBe(17)
  })
})
