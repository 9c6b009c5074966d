import { type Arg, DockerfileParser, type From, type Instruction, type JSONInstruction } from 'dockerfile-ast'
import { Fault } from '../core/fault.js'
import type { Edit, ImageFileKind, ImageSite, ImageSites, NewPin, OpenSite } from './image-file.js'
import { endsInDigest, pinReference } from './reference-text.js'
import { expandVariables } from './variables.js'

/**
 * Dockerfiles and Containerfiles (https://docs.docker.com/reference/dockerfile/): `FROM`, `COPY --from`, `RUN --mount=…,from=`, and
 * these in `ONBUILD`. The digest goes where the reference stands, also where its tag comes out of an ARG (docs/decisions/0009);
 * one that stands in an ARG's default is moved there.
 */
export const dockerfile: ImageFileKind = {
  name: 'dockerfile',
  files: 'Dockerfile, Containerfile, Dockerfile.NAME, NAME.Dockerfile',
  fits: (path) => {
    const name = (path.split('/').at(-1) ?? '').toLowerCase()
    if (/\.(?:dockerignore|md|txt)$/.test(name)) return false
    return /^(?:dockerfile|containerfile)(?:$|[.-])|\.(?:dockerfile|containerfile)$/.test(name)
  },
  read: (text) => new Reader(text).read(),
}

interface Default {
  readonly value: string
  /** Where it is written, without quotes. */
  readonly start: number
  readonly text: string
}

interface Word {
  readonly text: string
  readonly start: number
  /** From 1. */
  readonly line: number
}

class Reader {
  readonly #text: string
  readonly #lineStarts: readonly number[]
  readonly #defaults = new Map<string, Default | null>()
  readonly #stages = new Set<string>()
  readonly #sites: ImageSite[] = []
  readonly #open: OpenSite[] = []

  constructor(text: string) {
    this.#text = text
    this.#lineStarts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((end) => end.index + end[0].length)]
  }

  read(): ImageSites {
    if (this.#text.includes('\0')) throw notADockerfile('it is a binary file')
    const instructions = DockerfileParser.parse(this.#text).getInstructions()
    let isBeforeFirst = true
    for (const instruction of instructions) {
      const keyword = instruction.getKeyword()
      if (keyword === 'FROM') isBeforeFirst = false
      if (keyword === 'ARG' && isBeforeFirst) this.#readArg(instruction as Arg)
      if (keyword === 'FROM') this.#readFrom(instruction as From)
      else if (!isBeforeFirst) this.#readFlags(instruction)
    }
    if (isBeforeFirst && instructions.length > 0) throw notADockerfile('it has no FROM')
    return { sites: this.#sites, open: this.#open }
  }

  /** Only what is declared before the first FROM counts in one. */
  #readArg(instruction: Arg): void {
    for (const property of instruction.getProperties()) {
      const range = property.getValueRange()
      const value = property.getValue()
      if (range === null || value === null) this.#defaults.set(property.getName(), null)
      else {
        const written = this.#unquoted(this.#word(range))
        const filled = expandVariables(value, (name) => this.#defaults.get(name)?.value ?? null)
        // BuildKit takes nothing for a variable that has no value there.
        this.#defaults.set(property.getName(), 'text' in filled ? { ...written, value: filled.text } : null)
      }
    }
  }

  #readFrom(instruction: From): void {
    const range = instruction.getImageRange()
    if (range !== null) {
      const word = this.#unquoted(this.#word(range))
      this.#readReference(word, true)
    }
    const stage = instruction.getBuildStage()
    if (stage !== null) this.#stages.add(stage.toLowerCase())
  }

  #readFlags(instruction: Instruction, isTrigger = false): void {
    if (instruction.getKeyword() === 'ONBUILD') {
      const trigger = (instruction as unknown as Onbuild).getTriggerInstruction()
      if (trigger !== null) this.#readFlags(trigger, true)
      return
    }
    if (!['COPY', 'ADD', 'RUN'].includes(instruction.getKeyword())) return
    for (const flag of (instruction as JSONInstruction).getFlags()) {
      const range = flag.getValueRange()
      if (range === null) continue
      const value = this.#word(range)
      const name = flag.getName().toLowerCase()
      const source =
        name === 'from' ? value : name === 'mount' && instruction.getKeyword() === 'RUN' ? mountSource(value) : null
      if (source === null || source.text === '' || /^\d+$/.test(source.text)) continue
      // In ONBUILD a bare name is a stage of the build to come.
      if (isTrigger && !/[:/@]/.test(source.text)) continue
      this.#readReference(source, false)
    }
  }

  #readReference({ text, start, line }: Word, isFrom: boolean): void {
    const leave = (reason: string) => this.#open.push({ line, text, reason, isPinned: endsInDigest(text) })
    if (/[\r\n]/.test(text)) return void leave('it is written over several lines')
    // Docker fills in variables in FROM, and refuses them in --from.
    const filled = isFrom
      ? expandVariables(text, (name) => this.#defaults.get(name)?.value ?? null)
      : text.includes('$')
        ? { missing: text.slice(text.indexOf('$')) }
        : { text, used: [] }
    if ('missing' in filled) return void leave(this.#whyMissing(filled.missing))
    const image = filled.text
    if (image === 'scratch' || this.#stages.has(image.toLowerCase())) return
    const assumed = [...new Set(filled.used)].map((name) => `${name}=${this.#defaults.get(name)?.value ?? ''}`)
    const edits = (pin: NewPin) => [
      this.#digestInDefault(text, image, filled.used, pin) ?? pinReference({ text, start, image }, pin),
    ]
    this.#sites.push({ line, image, assumed, edits })
  }

  /** A digest that comes out of a variable is moved where it is written. */
  #digestInDefault(text: string, image: string, used: readonly string[], { digest }: NewPin): Edit | null {
    if (text.includes('@') || !image.includes('@')) return null
    for (const name of used) {
      const written = this.#defaults.get(name)
      const at = written?.text.indexOf('@') ?? -1
      if (written && at >= 0 && endsInDigest(written.text)) {
        return { start: written.start + at + 1, end: written.start + written.text.length, text: digest }
      }
    }
    return null
  }

  #whyMissing(name: string): string {
    if (!/^\w+$/.test(name)) return `${name} cannot be told`
    if (/^(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)$/.test(name)) return `${name} differs by platform`
    return this.#defaults.has(name) ? `ARG ${name} has no default` : `${name} is no ARG before the first FROM`
  }

  #word(range: { readonly start: Place; readonly end: Place }): Word {
    const start = this.#offsetOf(range.start)
    return { start, text: this.#text.slice(start, this.#offsetOf(range.end)), line: range.start.line + 1 }
  }

  #unquoted(word: Word): Word {
    const { text, start } = word
    const isQuoted = /^(["']).*\1$/s.test(text) && text.length > 1
    return isQuoted ? { ...word, text: text.slice(1, -1), start: start + 1 } : word
  }

  #offsetOf({ line, character }: Place): number {
    return (this.#lineStarts[line] ?? 0) + character
  }
}

/** The library does not export its type. */
interface Onbuild {
  getTriggerInstruction(): Instruction | null
}

interface Place {
  readonly line: number
  readonly character: number
}

/** `from=` of `--mount=type=bind,from=IMAGE,source=…`. */
function mountSource({ text, start, line }: Word): Word | null {
  const match = /(?:^|,)from=([^,]*)/.exec(text)
  if (match === null) return null
  const [found, source = ''] = match
  return { text: source, start: start + match.index + found.length - source.length, line }
}

function notADockerfile(why: string): Fault {
  return new Fault('file-unreadable', `not a Dockerfile: ${why}`, { fix: 'Name files that are one, or leave it out.' })
}
