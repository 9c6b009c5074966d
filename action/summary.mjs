// node summary.mjs check|pin FILE: Markdown for the summary of a job, from the body of -o json.
// node summary.mjs moved|updated FILE: ends with 0 where a tag moved or is gone, or a digest was written or is to be.
import { readFileSync } from 'node:fs'

const [what, file] = process.argv.slice(2)
const body = read()

if (what === 'moved') end((body?.results ?? []).some(({ status, previousDigest }) => isMoved(status, previousDigest)))
else if (what === 'updated') end((body?.updates ?? []).length > 0)
else if (body === null) process.stdout.write('Tidemark told nothing; the log of the step says why.\n')
else process.stdout.write(what === 'check' ? checkText(body) : pinText(body))

/** Null where the command failed before it had anything to tell. */
function read() {
  const text = readFileSync(file, 'utf8')
  return text === '' ? null : JSON.parse(text)
}

function end(isSo) {
  process.exitCode = isSo ? 0 : 1
}

function isMoved(status, previousDigest) {
  return status === 'moved' || (status === 'absent' && previousDigest !== null)
}

function checkText({ results }) {
  const rows = results.map(({ status, reference, previousDigest, digest, reason }) => [
    status,
    code(reference),
    short(previousDigest),
    short(digest),
    reason ?? '',
  ])
  return table(['Status', 'Reference', 'Was', 'Is', 'Reason'], rows)
}

function pinText({ updates, problems }) {
  const pins = updates.map(({ file, line, image, digest, updated_digest }) => [
    code(`${file}:${line}`),
    code(image),
    short(digest),
    short(updated_digest),
  ])
  const failed = problems.map(({ file, line, image, reason }) => [
    code(line === null ? file : `${file}:${line}`),
    image === null ? '' : code(image),
    code(reason),
  ])
  const text = pins.length === 0 ? 'No pin differs.\n' : table(['Place', 'Image', 'From', 'To'], pins)
  return failed.length === 0 ? text : `${text}\nNot pinned:\n\n${table(['Place', 'Image', 'Reason'], failed)}`
}

function table(names, rows) {
  const lines = [names, names.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `${lines.join('\n')}\n`
}

function short(digest) {
  return digest === null ? '–' : code(digest.slice(0, digest.indexOf(':') + 13))
}

/** Text from outside as a code span: what could end the span, the cell or the line is shown by a look-alike. */
function code(text) {
  return `\`${text.replaceAll('`', 'ˋ').replaceAll('|', '¦').replace(/\p{C}/gu, '\ufffd').slice(0, 300)}\``
}
