import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestCli } from './cli.js'

/** A record of the OSV schema about one package of Alpine 3.10, which the samples of the test registry are. */
export function alpineRecord(id: string, name: string, fixed: string, more: object = {}) {
  return {
    ...{ schema_version: '1.7.0', id, modified: '2026-11-01T00:00:00Z', upstream: [id.replace(/^ALPINE-/, '')] },
    affected: [
      {
        package: { ecosystem: 'Alpine:v3.10', name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
    ...more,
  }
}

/** Imports records, by default one about busybox that the first sample has and the second has not. */
export async function importAdvisory(
  cli: TestCli,
  records: readonly object[] = [alpineRecord('ALPINE-CVE-2026-1001', 'busybox', '1.30.1-r3')],
): Promise<void> {
  const file = join(cli.home, `records-${records.length}-${Math.random()}.jsonl`)
  writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'))
  const { code, stderr } = await cli.run('db', 'import', file)
  if (code !== 0) throw new Error(stderr)
}
