import { Fault, oneLine } from './fault.js'

/**
 * What an image runs on: OCI image specification v1.1.1, image-index.md, "platform". GOOS and GOARCH names, normalized:
 * `arm64` carries no variant (v8 is the default), `arm` always one.
 */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  /** `os.version`, Windows builds only. */
  readonly osVersion?: string
}

const architectureNames: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  aarch64: ['arm64'],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  i686: ['386'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}

const part = /^[a-z0-9][a-z0-9._-]{0,63}$/

/**
 * Reads `os/architecture[/variant]` and normalizes it as containerd does: `linux/aarch64` is `linux/arm64`,
 * `linux/arm` is `linux/arm/v7`, `linux/arm64/v8` is `linux/arm64`, `linux/amd64/v1` is `linux/amd64`.
 * @throws Fault `invalid-platform`
 */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.toLowerCase().split('/')
  const parts = [os, architecture, ...(variant === undefined ? [] : [variant])]
  if (rest.length > 0 || !parts.every((value) => value !== undefined && part.test(value))) {
    throw new Fault('invalid-platform', `not a platform: '${oneLine(text.slice(0, 60))}'`)
  }
  return normalizePlatform({ os: os as string, architecture: architecture as string, ...(variant && { variant }) })
}

/** One spelling for each platform; see {@link parsePlatform}. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os === 'macos' ? 'darwin' : platform.os
  const [architecture, implied] = architectureNames[platform.architecture] ?? [platform.architecture]
  const variant = platform.variant || implied || (architecture === 'arm' ? 'v7' : undefined)
  const isDefault = (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1')
  return {
    os,
    architecture,
    ...(variant !== undefined && !isDefault && { variant }),
    ...(platform.osVersion && { osVersion: platform.osVersion }),
  }
}

/**
 * Linux on an architecture as Node names it.
 * @param architecture `process.arch`
 */
export function hostPlatform(architecture: string): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }
  return normalizePlatform({ os: 'linux', architecture: names[architecture] ?? architecture })
}

/** `linux/arm/v7`, without the OS version. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`
  return `${platform.os}/${platform.architecture}${variant}`
}

/**
 * Whether an image for `offered` is what somebody who asks for `wanted` means: the same OS, architecture and variant,
 * and the same OS version where one is asked for. No falling back to older variants: a watcher must not change its
 * subject when one is added or removed.
 */
export function matchesPlatform(offered: Platform, wanted: Platform): boolean {
  return (
    formatPlatform(normalizePlatform(offered)) === formatPlatform(normalizePlatform(wanted)) &&
    (wanted.osVersion === undefined || wanted.osVersion === offered.osVersion)
  )
}
