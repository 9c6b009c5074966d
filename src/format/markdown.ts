import type { ScanReport } from '../core/finding.js'
import type { ConfigDiff, ImageDiff, MapChange, SetChange, SizeDiff } from '../core/image-diff.js'
import type { DiffFormat, ScanFormat } from './format.js'
import { causedSection, changeSummary, findingSections, scanSummary, unchangedSection } from './markdown/findings.js'
import { code, counted, listSection, type Section, shown, tableHead, tableRow, writeSections } from './markdown/text.js'

/** The longest comment that GitHub takes. */
const maxCharacters = 65_536
/** `-o markdown`: a comment on a pull request. A summary line, then the detail, folded. */
export const markdown: DiffFormat = {
  name: 'markdown',
  mediaType: 'text/markdown; charset=utf-8',
  write: (diff) => writeMarkdown(diff, maxCharacters),
}

/** `-o markdown` of a scan. */
export const scanMarkdown: ScanFormat = {
  name: 'markdown',
  mediaType: 'text/markdown; charset=utf-8',
  write: (report) => writeScanMarkdown(report, maxCharacters),
}

/**
 * A diff as GitHub-flavored Markdown. The first line is a comment that marks it, so that a bot finds its own one again and
 * updates it. Everything from the images stands in code spans, in which nothing is markup, a link or a mention.
 * @param limit the most characters; rows beyond it are left out and counted
 */
export function writeMarkdown(diff: ImageDiff, limit: number): string {
  const lines = ['<!-- tidemark-diff -->', `**${summaryOf(diff)}**`, '', `${shown(diff.from)} → ${shown(diff.to)}`]
  if (!diff.complete)
    lines.push('', '> **Incomplete:** an image could be read only in part; packages may be missing here.')
  if (diff.vulnerabilities === null)
    lines.push('', '> **Vulnerabilities were not compared:** there is no advisory data.')
  return writeSections(lines, sectionsOf(diff), limit)
}

/** The same for a scan, with a mark of its own. */
export function writeScanMarkdown(report: ScanReport, limit: number): string {
  const { image, complete, snapshot, findings, warnings } = report
  const data = `Advisory data of ${code(snapshot.builtAt)}`
  const lines = ['<!-- tidemark-scan -->', `**${scanSummary(findings)}**`, '', `${shown(image)}. ${data}.`]
  if (!complete) lines.push('', '> **Incomplete:** some packages or advisory data are missing here.')
  return writeSections(lines, [...findingSections(findings), listSection('Warnings', warnings.map(code))], limit)
}

function summaryOf({
  packages: { added, removed, changed },
  size,
  sameButForTimestamps,
  vulnerabilities,
}: ImageDiff): string {
  const directions = (['up', 'down', 'rebuilt', 'unknown'] as const)
    .map((direction) => [direction, changed.filter((change) => change.direction === direction).length] as const)
    .filter(([, count]) => count > 0)
    .map(([direction, count]) => `${count} ${direction}`)
  const parts = [
    changed.length > 0 && `${counted(changed.length, 'package')} changed (${directions.join(', ')})`,
    added.length > 0 && `${added.length} added`,
    removed.length > 0 && `${removed.length} removed`,
  ].filter((part) => part !== false)
  const packages = parts.length === 0 ? 'No package differs' : parts.join(', ')
  const rest = sameButForTimestamps === true ? 'the same but for timestamps' : sizeChange(size)
  return [packages, rest, vulnerabilities === null ? null : changeSummary(vulnerabilities)]
    .filter((part) => part !== null)
    .join('; ')
}

function sizeChange({ compressedBytes: { from, to } }: SizeDiff): string | null {
  if (from === null || to === null) return null
  return from === to ? `${megabytes(to)}, as before` : `${megabytes(from)} → ${megabytes(to)}`
}

function sectionsOf(diff: ImageDiff): Section[] {
  const { packages, vulnerabilities, licenses, layers, files, platforms, warnings } = diff
  return [
    ...(vulnerabilities === null
      ? []
      : [
          causedSection('Introduced vulnerabilities', vulnerabilities.introduced),
          causedSection('Fixed vulnerabilities', vulnerabilities.fixed),
        ]),
    {
      title: `Changed packages (${packages.changed.length})`,
      head: tableHead('Package', 'From', 'To', 'Type'),
      rows: packages.changed.map(({ name, from, to, type, direction }) =>
        tableRow(code(name), code(from), `${code(to)}${direction === 'up' ? '' : ` (${direction})`}`, code(type)),
      ),
    },
    packageSection('Added packages', packages.added),
    packageSection('Removed packages', packages.removed),
    listSection('Licenses', [
      ...licenses.gained.map((license) => `gained ${code(license)}`),
      ...licenses.lost.map((license) => `lost ${code(license)}`),
    ]),
    listSection('Configuration', configLines(diff.config ?? {})),
    listSection('Platforms', platforms === null ? [] : setLines('', platforms)),
    listSection(
      'Layers',
      layers === null || layers.added.length + layers.removed.length === 0
        ? []
        : [`${layers.shared.length} shared, ${layers.added.length} added, ${layers.removed.length} removed`],
    ),
    listSection(
      'Files',
      files === null
        ? []
        : [
            ...files.changed.map(({ path, changes }) => `changed ${code(path)} (${changes.join(', ')})`),
            ...setLines('', files),
            ...(files.timeOnly > 0 ? [`${counted(files.timeOnly, 'path')} with another time and nothing else`] : []),
            ...(files.unknown > 0 ? [`${counted(files.unknown, 'file')} could not be compared`] : []),
          ],
    ),
    ...(vulnerabilities === null ? [] : [unchangedSection(vulnerabilities.unchanged)]),
    listSection('Warnings', warnings.map(code)),
  ]
}

function packageSection(title: string, packages: ImageDiff['packages']['added']): Section {
  return {
    title: `${title} (${packages.length})`,
    head: tableHead('Package', 'Version', 'Type'),
    rows: packages.map(({ name, version, type }) => tableRow(code(name), code(version), code(type))),
  }
}

function configLines(config: ConfigDiff): string[] {
  const values = [
    ['user', config.user],
    ['working directory', config.workingDir],
    ['stop signal', config.stopSignal],
    ['entrypoint', config.entrypoint],
    ['command', config.cmd],
    ['healthcheck', config.healthcheck],
  ] as const
  return [
    ...values.flatMap(([name, change]) =>
      change === undefined ? [] : [`${name}: ${code(textOf(change.from))} → ${code(textOf(change.to))}`],
    ),
    ...mapLines('variable', config.env),
    ...mapLines('label', config.labels),
    ...(config.ports === undefined ? [] : setLines('port ', config.ports)),
    ...(config.volumes === undefined ? [] : setLines('volume ', config.volumes)),
  ]
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)
}

function mapLines(what: string, change: MapChange | undefined): string[] {
  if (change === undefined) return []
  return [
    ...change.changed.map(({ name, from, to }) => `${what} ${code(name)}: ${code(from)} → ${code(to)}`),
    ...change.added.map(({ name, value }) => `${what} ${code(name)} added: ${code(value)}`),
    ...change.removed.map(({ name }) => `${what} ${code(name)} removed`),
  ]
}

function setLines(what: string, { added, removed }: SetChange): string[] {
  return [
    ...added.map((entry) => `added ${what}${code(entry)}`),
    ...removed.map((entry) => `removed ${what}${code(entry)}`),
  ]
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
