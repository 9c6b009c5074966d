import type { DiffFormat, ScanFormat } from './format.js'
import { writeMarkdown, writeScanMarkdown } from './markdown.js'

/** A job summary holds 1 MiB, and a character at most four bytes. */
const maxCharacters = 262_144

/** `-o github`: what is appended to the file that `GITHUB_STEP_SUMMARY` names. */
export const github: DiffFormat = {
  name: 'github',
  mediaType: 'text/markdown; charset=utf-8',
  write: (diff) => writeMarkdown(diff, maxCharacters),
}

/** `-o github` of a scan. */
export const scanGithub: ScanFormat = {
  name: 'github',
  mediaType: 'text/markdown; charset=utf-8',
  write: (report) => writeScanMarkdown(report, maxCharacters),
}
