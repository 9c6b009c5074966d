import { matchVersion } from './match-version.js'
import { isDigit, numberKey, wordEnd } from './sort-key.js'
import type { VersionOrder } from './version-order.js'

/**
 * Packagist: a version is brought to Composer's normal form and compared as PHP's `version_compare` does
 * (composer/semver 3.3, `VersionParser::normalize`, `Comparator`): dev < alpha < beta < RC < none < a further number < patch.
 * A branch (`dev-main`) is before all versions; two of them Composer only tells apart, here their names decide.
 * Advisories hold versions that Composer refuses; of these, such as have only numbers and the words below are compared as
 * PHP would. All else is null.
 */
export const composer: VersionOrder = { name: 'composer', key }

const modifier = '[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)([0-9]*(?:[.-][0-9]+)*))?([.-]?dev)?'
const classical = new RegExp(`^v?([0-9]{1,5}(?:\\.[0-9]+){0,3})${modifier}$`)
const dated = new RegExp(`^v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){0,2})${modifier}$`)
const branch = /^v?([0-9]+(?:\.(?:[0-9]+|[x*])){0,3})[.-]?dev$/
const plain = /^v?[0-9][0-9a-z]*(?:[._+-][0-9a-z]+)*$/

/** PHP's order of words; a number and the end stand between RC and patch. PHP takes `post` for `p`. */
const words: ReadonlyMap<string, string> = new Map([
  ['dev', '0'],
  ['alpha', '1'],
  ['a', '1'],
  ['beta', '2'],
  ['b', '2'],
  ['rc', '3'],
  ['patch', '6'],
  ['pl', '6'],
  ['p', '6'],
  ['post', '6'],
])
const end = '4'
const number = '5'

function key(text: string): string | null {
  const version = text.trim()
  if (/^dev-./i.test(version)) return /\s/.test(version) ? null : `0${version.slice(4)}${wordEnd}`
  const lower = version.toLowerCase().replace(/^([^+\s]+)\+[^\s]+$/, '$1')
  const parts = normalParts(lower) ?? plainParts(lower)
  return parts === null ? null : `1${partsKey(parts)}`
}

/** Numbers and words of Composer's normal form, or null. All has been brought to lower case. */
function normalParts(version: string): string[] | null {
  const text = version.replace(/@(?:stable|rc|beta|alpha|dev)$/, '')
  const numbered = matchVersion(classical, text)
  if (numbered !== null) return [...fourNumbers(numbered[1] ?? '', '0'), ...modifierParts(numbered)]
  const date = matchVersion(dated, text)
  if (date !== null) return [...(date[1] ?? '').split(/[.:-]/), ...modifierParts(date)]
  const lines = matchVersion(branch, text)
  return lines === null ? null : [...fourNumbers(lines[1] ?? '', '9999999').map(openEnd), 'dev']
}

function fourNumbers(numbers: string, fill: string): string[] {
  const parts = numbers.split('.')
  while (parts.length < 4) parts.push(fill)
  return parts
}

/** Composer's number for the `x` of `2.x-dev`. */
function openEnd(part: string): string {
  return part === 'x' || part === '*' ? '9999999' : part
}

function modifierParts([, , stability, count = '', dev]: RegExpExecArray): string[] {
  const marked = stability === undefined || stability === 'stable' ? [] : [stability, ...(count.match(/[0-9]+/g) ?? [])]
  return dev === undefined || stability === 'stable' ? marked : [...marked, 'dev']
}

/** What PHP's `version_compare` makes of a text: numbers and words, however they are separated. */
function plainParts(version: string): string[] | null {
  if (matchVersion(plain, version) === null) return null
  const parts = version.replace(/^v/, '').match(/[0-9]+|[a-z]+/g) ?? []
  if (!parts.every((part) => isNumber(part) || words.has(part))) return null
  const firstWord = parts.findIndex((part) => !isNumber(part))
  const count = firstWord < 0 ? parts.length : firstWord
  return [...parts.slice(0, count), ...Array<string>(Math.max(0, 4 - count)).fill('0'), ...parts.slice(count)]
}

function isNumber(part: string): boolean {
  return isDigit(part.charCodeAt(0))
}

function partsKey(parts: readonly string[]): string {
  let built = ''
  for (const part of parts) built += words.get(part) ?? number + numberKey(part)
  return built + end
}
