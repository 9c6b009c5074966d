import type { ImageDiff } from '../../client/src/index.js'

/** What a comment on GitHub may hold, in characters. */
const maxLength = 65_536

/** A diff for a pull request: one line of summary, the rest folded away. Names come from images and are escaped. */
export function markdownDiff(diff: ImageDiff): string {
  const { packages, config, from, to } = diff
  const head = `**${escapeText(from.reference)}** → **${escapeText(to.reference)}**${platformOf(diff)}: ${summaryOf(diff)}\n`
  const sections = [
    table(
      'Packages changed',
      ['', 'package', 'from', 'to'],
      packages.changed.map(({ direction, name, from: a, to: b }) => [arrows[direction], name, a, b]),
    ),
    table(
      'Packages added',
      ['package', 'version'],
      packages.added.map(({ name, version }) => [name, version]),
    ),
    table(
      'Packages removed',
      ['package', 'version'],
      packages.removed.map(({ name, version }) => [name, version]),
    ),
    table(
      'Configuration',
      ['setting', 'from', 'to'],
      config.map(({ key, from: a, to: b }) => [key, a ?? '–', b ?? '–']),
    ),
    table(
      'Warnings',
      ['what could not be read'],
      diff.warnings.map((warning) => [warning]),
    ),
  ]
  const whole = [head, ...sections.filter((section) => section !== '')].join('\n')
  if (whole.length <= maxLength) return whole
  const note = '\n\n… cut: the whole of it is in `tidemark diff -o json`.\n'
  return `${whole.slice(0, maxLength - note.length - closing.length)}${closing}${note}`
}

const arrows = { up: '↑', down: '↓', rebuilt: '=', unknown: '?' } as const
const closing = '\n\n</details>'

/** `3 packages changed, 1 added, 2 removed, 1 setting changed`; `nothing changed` where that is so. */
export function summaryOf({ packages, config, complete }: ImageDiff): string {
  const parts = [
    count(packages.changed.length, 'package', 'changed'),
    count(packages.added.length, 'package', 'added'),
    count(packages.removed.length, 'package', 'removed'),
    count(config.length, 'setting', 'changed'),
  ].filter((part) => part !== '')
  const said = parts.length === 0 ? 'no package and no setting changed' : parts.join(', ')
  return complete ? said : `${said} (not everything could be read)`
}

function count(number: number, noun: string, verb: string): string {
  return number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'} ${verb}`
}

function platformOf({ from, to }: ImageDiff): string {
  const platform = to.platform ?? from.platform
  return platform === null ? '' : ` (${escapeText(platform)})`
}

function table(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const body = rows.map((row) => line(row.map(escapeText)))
  const rule = line(header.map(() => '---'))
  return `<details><summary>${title} (${rows.length})</summary>\n\n${line(header)}\n${rule}\n${body.join('\n')}\n\n</details>\n`
}

/** Text that neither ends a cell nor becomes a tag, a link or a mention. */
function escapeText(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replace(/@/g, '@\u200b')
}
