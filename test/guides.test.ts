import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../src/core/clock.js'
import { type RunningServer, serve } from '../src/server/serve.js'
import { startTestRegistry, type TestRegistry } from '../src/test-registry/serve.js'
import { createCli, type TestCli } from './support/cli.js'
import { describeWith } from './support/needs.js'
import { until } from './support/until.js'

// The shell sessions of the two published guides, "Using the Image Diff API" and "Using the Tag History API", with other host names,
// the organization `acme` for theirs, and `tidemark` for `chainctl`. The server lives in this process: sessions are not waited for
// synchronously.

const run = promisify(execFile)
const bin = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin')

let registry: TestRegistry
let server: RunningServer
let cli: TestCli
let before: string
let after: string
/** How far the server's clock is ahead. */
let aheadMs = 0

beforeAll(async () => {
  registry = await startTestRegistry()
  cli = createCli()
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs }
  const listen = { host: '127.0.0.1', port: 0 }
  server = await serve({ environment: cli.environment, listen, log: new PassThrough().resume(), clock })
  await cli.run('iam', 'group', 'create', 'acme')
  const upstream = `${registry.address}/library/alpine`
  await cli.run('repo', 'add', 'acme/alpine', '--upstream', upstream, '--tags', '3.*', '--every', '1s', '--public')
  const entries = async () => {
    const { code, stdout } = await cli.run('history', `${upstream}:3.10`, '-o', 'json')
    return code === 0 ? (JSON.parse(stdout) as { entries: unknown[] }).entries.length : 0
  }
  const { tags } = registry.content.repository('library/alpine')
  await until('the first look', async () => (await entries()) === 1)
  before = tags.get('3.10') ?? ''
  registry.move('library/alpine:3.10')
  await until('the move', async () => (await entries()) === 2)
  after = tags.get('3.10') ?? ''
})

afterAll(async () => {
  await server.stop()
  await registry.close()
})

/** Runs a session in bash as it stands, and gives what it prints. */
async function session(script: string, more: Record<string, string> = {}): Promise<string> {
  const environment = {
    ...{ HOME: cli.home, TIDEMARK_HOME: cli.environment.TIDEMARK_HOME, TIDEMARK_SERVER: server.url },
    ...{ URL: server.url, HOST: new URL(server.url).host, BEFORE: before, AFTER: after, DOCKER_CONFIG: cli.home },
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    ...more,
  }
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env: environment, cwd: cli.home })
  return stdout.trim()
}

/** The token from its file, and the ids of organization and repository, as the guide finds them. */
const ids = `
tidemark auth login --chainguard-cache > /dev/null
TOKEN=$(cat "$HOME/.cache/chainguard/\${URL//\\//-}/oidc-token")
GROUP_UIDP=$(tidemark iam group describe acme -ojson | jq -r .id)
REPO_UIDP=$(curl -s -H "Authorization: Bearer $TOKEN" "$URL/registry/v1/repos?name=alpine" |
  jq -r --arg group "$GROUP_UIDP" '.items[] | select(.id | startswith($group)) | .id')
`

describeWith({ programs: ['curl', 'jq'] }, 'the guide of the Image Diff API', () => {
  /** Of the images for linux/amd64, as `crane digest --platform` gives them. */
  const child = (digest: string) => {
    const { bytes } = registry.content.repository('library/alpine').manifests.get(digest as never) ?? { bytes: '[]' }
    const { manifests } = JSON.parse(String(Buffer.from(bytes))) as {
      manifests: { digest: string; platform: { architecture: string } }[]
    }
    return manifests.find(({ platform }) => platform.architecture === 'amd64')?.digest ?? ''
  }

  it('finds organization and repository, and says what changed between two digests', async () => {
    const printed = await session(
      `${ids}
      curl -s -H "Authorization: Bearer $TOKEN" \\
        "$URL/registry/v1/repos/$REPO_UIDP/diff?from_digest=$FROM&to_digest=$TO" > diff.json
      jq -r '.packages.changed[] | "\\(.name) \\(.previous.version) -> \\(.current.version) \\(.current.reference)"' diff.json
      jq -c '[(.packages | keys), (.vulnerabilities | keys)]' diff.json
    `,
      { FROM: child(before), TO: child(after) },
    )
    expect(printed.split('\n')).toEqual([
      expect.stringMatching(/^busybox 1\.30\.1-r2 -> 1\.30\.1-r3 pkg:apk\/alpine\/busybox@1\.30\.1-r3\?/),
      expect.stringMatching(/^libcrypto1\.1 1\.1\.1d-r0 -> 1\.1\.1d-r2 /),
      expect.stringMatching(/^libssl1\.1 1\.1\.1d-r0 -> 1\.1\.1d-r2 /),
      expect.stringMatching(/^ssl_client 1\.30\.1-r2 -> 1\.30\.1-r3 /),
      '[["added","changed","removed"],["added","metadata","removed"]]',
    ])
  })

  it('takes digests of an index, and says which image was taken', async () => {
    const printed = await session(`${ids}
      curl -s -H "Authorization: Bearer $TOKEN" \\
        "$URL/registry/v1/repos/$REPO_UIDP/diff?from_digest=$BEFORE&to_digest=$AFTER" | jq -r '.warnings[]'
    `)
    expect(printed).toContain(`${before} is an index: its image for linux/amd64 was taken`)
  })

  it('answers an expired token as the guide shows it', async () => {
    await session(`${ids} echo "$TOKEN" > expired; echo "$REPO_UIDP" > repository`)
    aheadMs = 2 * 60 * 60_000
    try {
      const printed = await session(`
        curl -s -o answer -w '%{http_code}\\n' -H "Authorization: Bearer $(cat expired)" \\
          "$URL/registry/v1/repos/$(cat repository)/diff?from_digest=$BEFORE&to_digest=$AFTER"
        cat answer
      `)
      expect(printed).toBe('401\n{"code":16,"message":"failed to verify token","details":[]}')
    } finally {
      aheadMs = 0
    }
  })
})

describeWith({ programs: ['curl', 'jq'] }, 'the guide of the Tag History API', () => {
  it('gives a history to whoever asks for an anonymous token, and to a pinned digest its image', async () => {
    const printed = await session(`
      tok=$(curl -s "$URL/token?scope=repository:acme/alpine:pull" | jq -r .token)
      curl -s -H "Authorization: Bearer $tok" "$URL/v2/acme/alpine/_chainguard/history/3.10" > history.json
      jq -r '.history[].digest' history.json
      since=$(jq -r '.history[1].updateTimestamp' history.json)
      curl -s -H "Authorization: Bearer $tok" "$URL/v2/acme/alpine/_chainguard/history/3.10?start=$since" | jq -r '.history[].digest'
      curl -s -H "Authorization: Bearer $tok" "$URL/v2/acme/alpine/_chainguard/history/3.10?end=$since" | jq -r '.history[].digest'
      curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $tok" "$URL/v2/acme/alpine/manifests/$BEFORE"
    `)
    expect(printed.split('\n')).toEqual([before, after, after, before, '200'])
  })

  it('takes the secret of the credential helper as it is, and no token for another audience', async () => {
    mkdirSync(join(cli.home, 'helpers'))
    symlinkSync(join(bin, 'docker-credential-tidemark'), join(cli.home, 'helpers', 'docker-credential-cgr'))
    const printed = await session(`
      tidemark auth login > /dev/null
      secret=$(echo "$HOST" | ./helpers/docker-credential-cgr get | jq -r .Secret)
      history="$URL/v2/acme/alpine/_chainguard/history/3.10"
      curl -s -H "Authorization: Bearer $secret" "$history" | jq -r '.history | length'
      curl -s -H "Authorization: Bearer $(tidemark auth token --audience "$HOST")" "$history" | jq -r '.history | length'
      curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(tidemark auth token)" "$history"
    `)
    expect(printed.split('\n')).toEqual(['2', '2', '403'])
  })

  it('is walked to its end, a thousand records at a time', async () => {
    const day = 86_400_000
    const history = Array.from({ length: 5000 }, (_, at) => ({
      updateTimestamp: new Date(Date.UTC(2010, 0, 1) + at * day).toISOString(),
      digest: `sha256:${at.toString(16).padStart(64, '0')}`,
    }))
    writeFileSync(join(cli.home, 'kept.json'), JSON.stringify({ history }))
    const imported = await cli.run(
      'history',
      'import',
      `${registry.address}/library/alpine:3.10`,
      join(cli.home, 'kept.json'),
    )
    expect(imported.code).toBe(0)
    const printed = await session(`
      tok=$(curl -s "$URL/token?scope=repository:acme/alpine:pull" | jq -r .token)
      start=2000-01-01T00:00:00Z
      : > all
      while true; do
        curl -s -H "Authorization: Bearer $tok" "$URL/v2/acme/alpine/_chainguard/history/3.10?start=$start" > page.json
        jq -r '.history[].digest' page.json >> all
        if [ "$(jq '.history | length' page.json)" -lt 1000 ]; then break; fi
        start=$(jq -r '.history[-1].updateTimestamp' page.json)
      done
      wc -l < all
      sort -u all | wc -l
      tail -n 2 all
    `)
    // Each page but the first begins with the record that the one before ended with: the start belongs to the span.
    expect(printed.split('\n').map((line) => line.trim())).toEqual(['5007', '5002', before, after])
  })
})

describeWith({ programs: ['curl', 'jq', 'crane'], isExtra: true }, 'the steps of the guides that use crane', () => {
  it('list tags, name the digest of one platform, and make the header of a token', async () => {
    const printed = await session(`${ids}
      crane ls --omit-digest-tags "$HOST/acme/alpine"
      FROM=$(crane digest --platform linux/amd64 "$HOST/acme/alpine@$BEFORE")
      TO=$(crane digest --platform linux/amd64 "$HOST/acme/alpine:3.10")
      curl -s -H "Authorization: Bearer $TOKEN" \\
        "$URL/registry/v1/repos/$REPO_UIDP/diff?from_digest=$FROM&to_digest=$TO" | jq '.packages.changed | length'
      curl -s -H "$(crane auth token -H "$HOST/acme/alpine")" "$URL/v2/acme/alpine/_chainguard/history/3.10" |
        jq -r '.history[0] | keys | join(" ")'
    `)
    expect(printed.split('\n')).toEqual(['3.10', '4', 'digest updateTimestamp'])
  })
})

describeWith({ programs: ['podman'] }, 'a Dockerfile that is pinned to an old digest', () => {
  it('is built from the image that the tag pointed at then', async () => {
    const printed = await session(`
      printf 'FROM %s/acme/alpine@%s\\nLABEL built=by-hand\\n' "$HOST" "$BEFORE" > Dockerfile
      podman="podman --root $HOME/storage --runroot $HOME/run --storage-driver vfs"
      $podman build -q --tls-verify=false --platform linux/amd64 --isolation chroot -t built . > /dev/null
      $podman image inspect built --format '{{index .Labels "built"}} {{.Architecture}}'
    `)
    expect(printed).toBe('by-hand amd64')
  })
})
