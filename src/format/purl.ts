import type { PackagesFormat } from './format.js'

/** `-o purl`: package URLs, each once, one a line, in ascending order. */
export const purl: PackagesFormat = {
  name: 'purl',
  mediaType: 'text/plain; charset=utf-8',
  write: ({ packages }) =>
    [...new Set(packages.map((one) => one.purl))]
      .sort()
      .map((line) => `${line}\n`)
      .join(''),
}
