import { isMap, isScalar, type Node, visit, type YAMLMap } from 'yaml'
import type { Edit, ImageFileKind, NewPin } from './image-file.js'
import { endsInDigest } from './reference-text.js'
import { variableIn, YamlFile, type YamlText } from './yaml-file.js'

/**
 * Values of Helm charts: `image: {registry, repository, tag, digest}`, and `image: repository:tag`, under any key that ends in
 * `image`. The digest goes under `digest` where the chart has that key, else after the tag, which charts join with a colon.
 */
export const helmValues: ImageFileKind = {
  name: 'helm-values',
  files: 'values.yaml, values-NAME.yaml, NAME-values.yaml',
  fits: (path) => /(?:^|[/._-])values(?:[._-][^/]*)?\.ya?ml$/i.test(path),
  read(text) {
    const file = new YamlFile(text)
    for (const document of file.documents) {
      visit(document, {
        Pair(_, { key, value }) {
          if (!isScalar(key) || !/image$/i.test(String(key.value))) return
          const node = file.followed(value)
          if (isMap(node)) readImage(node, file)
          // Without a tag it is as often the name of something else, or half of a reference.
          else if (isScalar(node) && /[:@](?!\/\/)/.test(String(node.value))) file.addReference(node)
        },
      })
    }
    return file.found()
  },
}

function readImage(map: YAMLMap, file: YamlFile): void {
  const repository = file.get(map, 'repository')
  if (repository === undefined || !isScalar(repository) || !repository.value) return
  const [registry, tag, digest] = ['registry', 'tag', 'digest'].map((key) => file.get(map, key))
  const parts = [registry, repository, tag].map((node) => partOf(node, file))
  const isDigestWritten = isFilled(digest) || (isFilled(tag) && endsInDigest(String((tag as { value: unknown }).value)))
  const wrong = parts.find((part) => part !== null && 'reason' in part)
  const [registryText, repositoryText, tagText] = parts as (YamlText | null)[]
  if ((wrong && 'reason' in wrong) || !tagText || tagText.text === '') {
    const reason = wrong && 'reason' in wrong ? wrong.reason : 'no tag: the chart decides'
    if (!isDigestWritten) file.leave(repository, reason)
    return
  }
  const name = registryText && registryText.text !== '' ? `${registryText.text}/` : ''
  const written = isFilled(digest) ? `@${String((digest as { value: unknown }).value)}` : ''
  file.add(
    {
      image: `${name}${repositoryText?.text ?? ''}:${tagText.text}${written}`,
      assumed: [],
      // Without its tag a chart would take the one of its own version: it stays.
      edits: (pin) => [digestEdit(digest, pin, file) ?? tagEdit(tagText, pin)],
    },
    repository,
  )
}

function isFilled(node: Node | undefined): boolean {
  return isScalar(node) && node.value !== null && node.value !== ''
}

/** A part as it stands; null where there is none. */
function partOf(node: Node | undefined, file: YamlFile): YamlText | { readonly reason: string } | null {
  if (node === undefined || (isScalar(node) && node.value === null)) return null
  const part = file.textOf(node)
  if (part === null) return { reason: 'a part of it is no text in one piece' }
  const variable = variableIn(part.text)
  if (variable !== null) return { reason: `${variable} cannot be told` }
  const { value } = part.node
  // 1.10 without quotes is the number 1.1, and that is what the chart gets.
  if (typeof value !== 'string' && String(value) !== part.text) {
    return { reason: `${part.text} without quotes is ${String(value)}` }
  }
  return part
}

function digestEdit(node: Node | undefined, { digest }: NewPin, file: YamlFile): Edit | null {
  if (!isScalar(node) || !node.range) return null
  const text = file.textOf(node)
  const [from, to] = node.range
  if (text !== null && text.text !== '' && typeof text.node.value === 'string') {
    return { start: text.start, end: text.start + text.text.length, text: digest }
  }
  if (from === to) return { start: from, end: to, text: file.text[from - 1] === ':' ? ` ${digest}` : digest }
  if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') {
    return { start: from + 1, end: to - 1, text: digest }
  }
  return node.value === null ? { start: from, end: to, text: digest } : null
}

function tagEdit({ text, start }: YamlText, { digest }: NewPin): Edit {
  const at = text.indexOf('@')
  return { start, end: start + text.length, text: `${at < 0 ? text : text.slice(0, at)}@${digest}` }
}
