import type { ImageDiff } from '../core/image-diff.js'
import type { DiffFormat, ScanFormat } from './format.js'
import { resultOf } from './sarif/result.js'
import { runOf } from './sarif/run.js'

const mediaType = 'application/sarif+json'

/**
 * `-o sarif` of a scan: SARIF 2.1.0 (OASIS Standard, with errata 01), as GitHub's code scanning takes it. A finding that does not
 * count is there as suppressed, with the reason.
 */
export const scanSarif: ScanFormat = {
  name: 'sarif',
  mediaType,
  write: ({ image, findings, complete, warnings }) =>
    text(runOf({ results: findings.map((finding) => resultOf(finding, image)), complete, warnings })),
}

/** `-o sarif` of a diff: every result says whether it is `new`, `unchanged` or `absent` (SARIF 2.1.0, section 3.27.24). */
export const sarif: DiffFormat = {
  name: 'sarif',
  mediaType,
  write: (diff) => text(runOf({ results: resultsOf(diff), complete: diff.complete, warnings: diff.warnings })),
}

/** null: vulnerabilities were not compared: there is no advisory data, which is not the same as that there are none. */
function resultsOf({ vulnerabilities, from, to }: ImageDiff) {
  if (vulnerabilities === null) return null
  const { introduced, unchanged, fixed } = vulnerabilities
  return [
    ...introduced.map((finding) => ({ ...resultOf(finding, to, finding.cause), baselineState: 'new' as const })),
    ...unchanged.map((finding) => ({ ...resultOf(finding, to), baselineState: 'unchanged' as const })),
    ...fixed.map((finding) => ({ ...resultOf(finding, from, finding.cause), baselineState: 'absent' as const })),
  ]
}

function text(run: object): string {
  const $schema = 'https://json.schemastore.org/sarif-2.1.0.json'
  return `${JSON.stringify({ $schema, version: '2.1.0', runs: [run] }, null, 2)}\n`
}
