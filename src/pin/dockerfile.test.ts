// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the files that are read
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { faultCodeOf } from '../../test/support/fault-code.js'
import { oldDigest, pinText } from '../../test/support/pins.js'
import { dockerfile } from './dockerfile.js'

const pin = (text: string, dropsTag = false) => pinText(dockerfile, text.replaceAll('OLD', oldDigest), dropsTag)

describe('the digest is written', () => {
  it.each([
    ['FROM alpine:3.20\n', 'FROM alpine:3.20@NEW\n'],
    ['an implied tag with it', 'FROM alpine\n', 'FROM alpine:latest@NEW\n'],
    ['no line break at the end', 'FROM alpine:3', 'FROM alpine:3@NEW'],
    ['a port', 'FROM localhost:5000/a/b\n', 'FROM localhost:5000/a/b:latest@NEW\n'],
    ['a port and a tag', 'FROM localhost:5000/a/b:1.2\n', 'FROM localhost:5000/a/b:1.2@NEW\n'],
    ['lower case, tabs', 'from\talpine:3\tas\tBuild\n', 'from\talpine:3@NEW\tas\tBuild\n'],
    ['CRLF', 'FROM a:1\r\nRUN x\r\nFROM b:2 AS c\r\n', 'FROM a:1@NEW\r\nRUN x\r\nFROM b:2@NEW AS c\r\n'],
    ['a BOM', '\ufeffFROM a:1\nFROM b:1\n', '\ufeffFROM a:1@NEW\nFROM b:1@NEW\n'],
    [
      'an escape directive',
      '# escape=`\nFROM `\n  a:1 `\n  AS x\nRUN dir C:\\\nFROM b:1\n',
      '# escape=`\nFROM `\n  a:1@NEW `\n  AS x\nRUN dir C:\\\nFROM b:1@NEW\n',
    ],
    [
      'continued lines with comments',
      'FROM \\\n# FROM no:1\n  a:1 \\\n\n  AS x\n',
      'FROM \\\n# FROM no:1\n  a:1@NEW \\\n\n  AS x\n',
    ],
    ['a platform', 'FROM --platform=$BUILDPLATFORM  a:1  AS x\n', 'FROM --platform=$BUILDPLATFORM  a:1@NEW  AS x\n'],
    ['quotes', 'FROM "a:1" AS x\n', 'FROM "a:1@NEW" AS x\n'],
    [
      'COPY --from',
      'FROM a:1\nCOPY --link --from=b:2 --chown=1 /x /y\n',
      'FROM a:1@NEW\nCOPY --link --from=b:2@NEW --chown=1 /x /y\n',
    ],
    [
      'a mount',
      'FROM a:1\nRUN --mount=type=bind,from=b:2,source=/x --mount=type=cache,target=/c y\n',
      'FROM a:1@NEW\nRUN --mount=type=bind,from=b:2@NEW,source=/x --mount=type=cache,target=/c y\n',
    ],
    [
      'ONBUILD',
      'FROM a:1\nONBUILD COPY --from=b:2 /x /y\nONBUILD COPY --from=stage /x /y\n',
      'FROM a:1@NEW\nONBUILD COPY --from=b:2@NEW /x /y\nONBUILD COPY --from=stage /x /y\n',
    ],
    ['other bytes', 'FROM a:1 # é\u2028 ✓\n# ünï\nFROM b:1\n', 'FROM a:1@NEW # é\u2028 ✓\n# ünï\nFROM b:1@NEW\n'],
  ])('%s', (...row) => {
    const [before, after] = row.slice(-2) as [string, string]
    expect(pin(before)).toMatchObject({ text: after, open: [] })
  })

  it('in place of one that is there, and without the tag where that is wanted', () => {
    expect(pin('FROM a:1@OLD\nFROM b@OLD\n').text).toBe('FROM a:1@NEW\nFROM b:latest@NEW\n')
    expect(pin('FROM localhost:5000/a:1@OLD\nFROM b\nFROM c:1\n', true).text).toBe(
      'FROM localhost:5000/a@NEW\nFROM b@NEW\nFROM c@NEW\n',
    )
  })
})

describe('left alone', () => {
  it.each([
    ['scratch', 'FROM scratch\n'],
    [
      'stages, whatever their case',
      'FROM scratch AS Base\nFROM base\nFROM BASE AS next\nCOPY --from=Next /a /b\nCOPY --from=0 /a /b\n',
    ],
    [
      'heredocs',
      'FROM scratch\nRUN <<EOF\nFROM a:1\nCOPY --from=b:1 /x /y\nEOF\nCOPY <<"E1" <<-E2 /d/\nFROM a:1\nE1\n\tFROM b:1\n\tE2\n',
    ],
    ['comments', '# FROM a:1\n  # FROM b:1\nFROM scratch\n'],
    ['the frontend', '# syntax=docker/dockerfile:1\nFROM scratch\n'],
    ['what commands say', 'FROM scratch\nRUN echo "FROM a:1" --from=b:1\nLABEL x="--from=b:1"\n'],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(pin(text)).toEqual({ text, images: [], assumed: [], open: [] })
  })
})

describe('variables', () => {
  it.each([
    ['a tag', 'ARG V=3.20\nFROM alpine:${V}\n', '2 alpine:3.20', 'ARG V=3.20\nFROM alpine:${V}@NEW\n'],
    [
      'a whole reference',
      'ARG BASE=alpine:3\nFROM $BASE AS x\n',
      '2 alpine:3',
      'ARG BASE=alpine:3\nFROM $BASE@NEW AS x\n',
    ],
    ['without a tag', 'ARG BASE=alpine\nFROM $BASE\n', '2 alpine', 'ARG BASE=alpine\nFROM $BASE:latest@NEW\n'],
    ['quotes', 'ARG BASE="alpine:3"\nFROM ${BASE}\n', '2 alpine:3', 'ARG BASE="alpine:3"\nFROM ${BASE}@NEW\n'],
    [
      'of one another',
      'ARG A=3\nARG B=${A}.20 C=x\nFROM $C/alpine:$B\n',
      '3 x/alpine:3.20',
      'ARG A=3\nARG B=${A}.20 C=x\nFROM $C/alpine:$B@NEW\n',
    ],
    ['a default of its own', 'FROM a:${V:-1-${W:-2}}\n', '1 a:1-2', 'FROM a:${V:-1-${W:-2}}@NEW\n'],
    ['an alternative', 'ARG V=1\nFROM a${V:+-slim}:1\n', '2 a-slim:1', 'ARG V=1\nFROM a${V:+-slim}:1@NEW\n'],
    [
      'a digest in a default',
      'ARG BASE=alpine:3@OLD\nFROM $BASE AS x\nFROM $BASE\n',
      '2 alpine:3@OLD',
      'ARG BASE=alpine:3@NEW\nFROM $BASE AS x\nFROM $BASE\n',
    ],
    [
      'a digest after a tag of a default',
      "ARG V='3@OLD'\nFROM alpine:$V\n",
      '2 alpine:3@OLD',
      "ARG V='3@NEW'\nFROM alpine:$V\n",
    ],
  ])('filled in: %s', (_, text, image, after) => {
    const pinned = pin(text)
    expect(pinned).toMatchObject({ text: after, open: [] })
    expect(pinned.images[0]).toBe(image)
  })

  it('says what was taken for them', () => {
    expect(pin('ARG V=3\nFROM alpine:${V}\n').assumed).toEqual(['V=3'])
    expect(pin('FROM alpine:3\n').assumed).toEqual([])
  })

  it.each([
    ['ARG V\nFROM a:${V}\n', '2 a:${V}: ARG V has no default'],
    ['FROM a:$V\n', '1 a:$V: V is no ARG before the first FROM'],
    ['FROM scratch\nARG V=1\nFROM a:$V\n', '3 a:$V: V is no ARG before the first FROM'],
    ['FROM a-$TARGETARCH:1\n', '1 a-$TARGETARCH:1: TARGETARCH differs by platform'],
    ['ARG V=1\nFROM a:${V#x}\n', '2 a:${V#x}: ${V#x} cannot be told'],
    ['FROM a:1\nCOPY --from=$X /a /b\n', '2 $X: $X cannot be told'],
    ['FROM alp\\\nine:3\n', '1 alp\\\nine:3: it is written over several lines'],
    ['FROM $X/a:1@OLD\n', '1 $X/a:1@OLD: X is no ARG before the first FROM (pinned)'],
  ])('named where they cannot be told: %j', (text, open) => {
    const pinned = pin(text)
    expect(pinned.open).toEqual([open])
    expect(pinned.text.replace('a:1@NEW', 'a:1')).toBe(text)
  })

  it('that hold one another do not grow without end', () => {
    const lines = Array.from({ length: 60 }, (_, index) => `ARG A${index + 1}=$A${index}$A${index}\n`)
    expect(pin(`ARG A0=xxxxxxxxxx\n${lines.join('')}FROM $A60\n`).open).toHaveLength(1)
  })
})

it('refuses what is no Dockerfile', async () => {
  for (const text of ['RUN x\n', 'FROM a\0\n', '{"a": 1}\n']) {
    expect(await faultCodeOf((async () => dockerfile.read(text))()), text).toBe('file-unreadable')
  }
})

it('is known by its name', () => {
  const names = [
    'Dockerfile',
    'a/Containerfile',
    'Dockerfile.prod',
    'app.Dockerfile',
    'x/app.dockerfile',
    'Dockerfile-alpine',
  ]
  expect(names.filter((name) => !dockerfile.fits(name))).toEqual([])
  const others = ['Dockerfile.dockerignore', 'Dockerfile.md', 'dockerfiles.go', 'Dockerfile/x', 'mydockerfile']
  expect(others.filter((name) => dockerfile.fits(name))).toEqual([])
})

it('changes nothing but what it says, whatever stands around it', () => {
  const filler = fc.constantFrom(
    '',
    '# x\n',
    '\n',
    'RUN a \\\n  && b\n',
    'RUN <<E\nFROM q:1\nE\n',
    'ENV A="é\t"\r\n',
    '  # FROM z\n',
  )
  const image = fc.constantFrom('a:1', 'ghcr.io/o/p', 'localhost:5000/x:y', '"b:2"', 'c@OLD')
  const line = fc.tuple(image, fc.constantFrom('\n', '\r\n', ' AS s\n', '\t\n'))
  fc.assert(
    fc.property(fc.array(fc.tuple(filler, line), { minLength: 1, maxLength: 6 }), (parts) => {
      const text = parts
        .map(([before, [name, end]], index) => `FROM ${name}${end.replace('s', `s${index}`)}${before}`)
        .join('')
      const after = pin(text).text
      expect(after.replaceAll('@NEW', '').replaceAll(':latest', '')).toBe(text.replaceAll('@OLD', ''))
      expect(after.match(/@NEW/g)).toHaveLength(parts.length)
    }),
  )
})
