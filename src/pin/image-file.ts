import type { Digest } from '../core/digest.js'

/** Text in place of the characters from `start` up to `end`; offsets count UTF-16 units of the text that was read. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What is to be written at a place. */
export interface NewPin {
  readonly digest: Digest
  /** `name@sha256:…` instead of `name:tag@sha256:…`, where the place can be written so. */
  readonly dropsTag: boolean
}

/** A place in a file that names an image. */
export interface ImageSite {
  /** From 1. */
  readonly line: number
  /** With variables filled in: `node:20`, `ghcr.io/org/app:1@sha256:…`. Not parsed yet. */
  readonly image: string
  /** What was taken for variables: `VERSION=20`. Whoever builds with another value is not told by the pin. */
  readonly assumed: readonly string[]
  /** What to change in the text; never a line break. */
  edits(pin: NewPin): readonly Edit[]
}

/** A place that names an image which the file alone does not tell. */
export interface OpenSite {
  readonly line: number
  /** As it is written. */
  readonly text: string
  /** Why: `ARG BASE has no default`. */
  readonly reason: string
  /** Whether a digest is written there: then nothing is missing. */
  readonly isPinned: boolean
}

/** Every place of a file that names an image, in the order of the file. Those that name a stage or `scratch` are none. */
export interface ImageSites {
  readonly sites: readonly ImageSite[]
  readonly open: readonly OpenSite[]
}

/** A kind of file that names images. */
export interface ImageFileKind {
  readonly name: string
  /** Of messages and docs. */
  readonly files: string
  /** Whether the path says so, with slashes; its folders may matter. */
  fits(path: string): boolean
  /** Whether the text does, where no kind's path does. */
  looksLike?(text: string): boolean
  /** @throws Fault `file-unreadable` for what does not parse */
  read(text: string): ImageSites
}
