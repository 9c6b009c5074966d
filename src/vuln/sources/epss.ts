import { textOf } from '../../core/json-object.js'
import type { AdvisorySource } from './advisory-source.js'

/** first.org's forecast of which CVEs will be exploited: CSV with a comment, a head and a line a CVE. */
export const epss: AdvisorySource = {
  name: 'epss',
  url: 'https://epss.empiricalsecurity.com',
  isDefault: true,
  unit: 'document',
  downloads: () => [{ part: null, path: 'epss_scores-current.csv.gz' }],
  recognises: (value) => typeof value === 'string' && /^(?:#\s*model_version:|cve,epss,percentile\s*$)/.test(value),
  read(value, sink) {
    const line = textOf(value).trim()
    if (line === '' || line.startsWith('#') || line.startsWith('cve,')) return
    const [, cve = '', score, percentile] =
      /^(CVE-\d{4}-\d{4,19}),([\d.eE+-]{1,30}),([\d.eE+-]{1,30})$/.exec(line) ?? []
    if (isShare(score) && isShare(percentile)) sink.epss(cve, { score: Number(score), percentile: Number(percentile) })
    else sink.refuse(null, `no CVE with two numbers from 0 to 1: '${line.slice(0, 80)}'`)
  },
}

function isShare(text: string | undefined): boolean {
  const share = Number(text ?? Number.NaN)
  return share >= 0 && share <= 1
}
