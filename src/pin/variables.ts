/** What came of filling in variables. */
export type Expanded =
  | { readonly text: string; readonly used: readonly string[] }
  /** The variable that has no value, or is used in a way that is not known. */
  | { readonly missing: string }

/** A reference has at most some 500 characters; variables that hold one another twice would grow without end. */
const maxCharacters = 4_096
/** Nested defaults: `${A:-${B:-x}}`. Nobody writes more than two. */
const maxDepth = 8

/**
 * Fills in `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME-word}`, `${NAME:+word}` and `${NAME+word}`, as BuildKit does in FROM
 * (https://docs.docker.com/reference/dockerfile/#environment-replacement). Its patterns (`${NAME#…}`) are not filled in.
 * @param lookUp null for a variable that has no value
 */
export function expandVariables(text: string, lookUp: (name: string) => string | null, depth = 0): Expanded {
  let filled = ''
  let index = 0
  const used: string[] = []
  while (index < text.length) {
    const dollar = text.indexOf('$', index)
    if (dollar < 0) break
    filled += text.slice(index, dollar)
    const variable = readVariable(text, dollar)
    if (variable === null || depth >= maxDepth || filled.length > maxCharacters) return { missing: text.slice(dollar) }
    const value = lookUp(variable.name)
    const chosen = choose(variable, value)
    if (chosen === null) return { missing: variable.name }
    if (chosen === value) {
      filled += value
      used.push(variable.name)
    } else {
      const word = expandVariables(chosen, lookUp, depth + 1)
      if ('missing' in word) return word
      filled += word.text
      used.push(variable.name, ...word.used)
    }
    index = variable.end
  }
  return { text: filled + text.slice(index), used }
}

interface Variable {
  readonly name: string
  readonly operator: string
  readonly word: string
  readonly end: number
}

function readVariable(text: string, dollar: number): Variable | null {
  const rest = text.slice(dollar + 1)
  const [bare] = /^[A-Za-z_]\w*/.exec(rest) ?? []
  if (bare !== undefined) return { name: bare, operator: '', word: '', end: dollar + 1 + bare.length }
  const [head, name, operator = ''] = /^\{([A-Za-z_]\w*)(:?[-+])?/.exec(rest) ?? []
  if (head === undefined || name === undefined) return null
  let depth = 1
  for (let index = dollar + 1 + head.length; index < text.length; index++) {
    if (text.startsWith('${', index)) depth++
    else if (text[index] === '}' && --depth === 0) {
      const word = text.slice(dollar + 1 + head.length, index)
      return operator === '' && word !== '' ? null : { name, operator, word, end: index + 1 }
    }
  }
  return null
}

function choose({ operator, word }: Variable, value: string | null): string | null {
  const isSet = operator.startsWith(':') ? value !== null && value !== '' : value !== null
  if (operator.endsWith('-')) return isSet ? value : word
  if (operator.endsWith('+')) return isSet ? word : ''
  return value
}
