import { isFault } from '../core/fault.js'
import { type Host, isLoopbackHost, wireHost } from '../core/host.js'
import { formatDuration, formatTime } from '../core/time.js'
import type { TlsSession } from '../http/connection.js'
import type { ResolvedAddress } from '../http/resolve.js'
import type { Connection } from '../registry/examine.js'
import type { Call } from '../registry/request.js'
import { type Examination, type Finding, type Found, failure } from './doctor-step.js'

/** Where the host is looked for. */
export async function examineName({ target, examiner }: Examination, { signal }: Call): Promise<Finding<'name'>> {
  const { host } = target
  const { name, addresses, proxy } = await examiner.resolve(host, signal)
  const shown = addresses.map(showAddress).join(', ')
  const at = name === addresses[0]?.address ? shown : `${name} is ${shown}`
  const message = [
    ...(host === 'docker.io'
      ? [`docker.io, index.docker.io and registry-1.docker.io are one registry, spoken to as ${wireHost(host)}`]
      : []),
    proxy === null
      ? at
      : `through the proxy ${proxy} of the environment (NO_PROXY exempts hosts), which looks the name up itself; ${at}`,
  ].join('; ')
  return { status: 'ok', message, found: { name, addresses: [...addresses], proxy } }
}

function showAddress({ address, zone }: ResolvedAddress): string {
  return zone === 'public' ? address : `${address} (${zone === 'forbidden' ? 'link-local or reserved' : zone})`
}

/** A certificate that ends so soon is warned of: those of Let's Encrypt are renewed thirty days before they end. */
const soonMs = 14 * 86_400_000

/** How the connection is made. */
export async function examineTls(examination: Examination, { signal }: Call): Promise<Finding<'tls'>> {
  const { target, examiner, now } = examination
  const { host } = target
  try {
    const connection = await examiner.connect(host, signal)
    examination.connection = connection
    const { session } = connection
    return session === null ? plain(connection, host) : judgeSession(session, connection, host, now())
  } catch (error) {
    if (!isFault(error, 'tls') || error.data.plain !== true) throw error
    const fix = `If it speaks HTTP without TLS, set registries.${host}.plainHttp: true in tidemark.yaml; else check the port.`
    return failure({ code: 'tls', message: error.message, fix }, null)
  }
}

function plain({ plainBecause }: Connection, host: Host): Finding<'tls'> {
  const found: Found<'tls'> = { scheme: 'http', plainBecause, protocol: null, certificate: null, trusted: [] }
  const why = plainBecause === 'loopback' ? 'no TLS is spoken there' : `by registries.${host}.plainHttp`
  if (isLoopbackHost(host)) return { status: 'ok', message: `plain HTTP, ${why}; it is this machine`, found }
  const fix = 'Have it speak TLS, and take plainHttp out, where the network between is not yours alone.'
  return { status: 'warning', message: `plain HTTP, ${why}: passwords and tokens go unencrypted`, fix, found }
}

function judgeSession(session: TlsSession, connection: Connection, host: string, nowMs: number): Finding<'tls'> {
  const { protocol, subject, issuer, validUntil, distrust } = session
  const trusted = [...connection.trusted]
  const until = validUntil === null ? null : formatTime(validUntil)
  const certificate = { subject, issuer, validUntil: until, isTrusted: distrust === null }
  const found: Found<'tls'> = { scheme: 'https', plainBecause: null, protocol, certificate, trusted }
  const by = subject === issuer ? 'which signs itself' : `issued by ${issuer || 'nobody'}`
  const whose = `the certificate of ${subject || 'nobody'}, ${by}`
  if (distrust !== null) return failure({ code: 'tls', ...distrustOf(session, whose, host, trusted) }, found)
  const also = trusted.length === 0 ? '' : `; trusted besides the usual roots: ${trusted.join(', ')}`
  const message = `${protocol}, ${whose}, until ${day(validUntil)}${also}`
  if (validUntil === null || validUntil - nowMs >= soonMs) return { status: 'ok', message, found }
  const left = validUntil < nowMs ? 'over by our clock' : `${Math.floor((validUntil - nowMs) / 86_400_000)} days left`
  return { status: 'warning', message: `${message} (${left})`, fix: `Renew the certificate of ${host}.`, found }
}

function distrustOf(
  { distrust, subject, validFrom, validUntil }: TlsSession,
  whose: string,
  host: string,
  trusted: readonly string[],
): { message: string; fix: string } {
  const clock = 'or set the clock of this machine, if that is wrong.'
  switch (distrust?.kind) {
    case 'expired':
      return { message: `${whose}, ended on ${day(validUntil)}`, fix: `Renew the certificate of ${host}, ${clock}` }
    case 'not-yet-valid':
      return { message: `${whose}, begins on ${day(validFrom)}`, fix: `Wait, ${clock}` }
    case 'wrong-name':
      return {
        message: `the certificate is for ${subject || 'another name'}, not for ${host}`,
        fix: `Use a name that the certificate has, or get one for ${host}.`,
      }
    case 'unknown-issuer': {
      const besides = trusted.length === 0 ? '' : `, nor by ${trusted.join(', ')}`
      const fix = `Set registries.${host}.ca in tidemark.yaml to the file of the CA that issued it (or SSL_CERT_FILE).`
      return { message: `${whose}, is not trusted: its issuer is not known by the usual roots${besides}`, fix }
    }
    default:
      return {
        message: `${whose}, is not trusted (${distrust?.said})`,
        fix: `Set registries.${host}.ca in tidemark.yaml to its CA file, or mend the certificate.`,
      }
  }
}

function day(timeMs: number | null): string {
  return timeMs === null ? 'nobody knows when' : formatTime(timeMs).slice(0, 10)
}

/** `Date` tells whole seconds: what was the time there may be so much more. */
const dateStepMs = 1_000
/** Beyond this what is signed or dated begins to fail; beyond five minutes AWS, Kerberos and most tokens refuse. */
const noticedMs = 30_000
const refusedMs = 5 * 60_000

/** Whether both clocks agree. */
export async function examineClock({ ping, target }: Examination): Promise<Finding<'clock'>> {
  if (ping === undefined) return { status: 'skipped', message: 'not tried, because there was no answer', found: null }
  if (ping.date === null) {
    return { status: 'skipped', message: `${target.host} does not say what time it is (no Date header)`, found: null }
  }
  const aheadMs =
    ping.askedAt > ping.date + dateStepMs
      ? ping.askedAt - ping.date - dateStepMs
      : Math.min(0, ping.answeredAt - ping.date)
  const found = { aheadMs }
  const apart = formatDuration(Math.floor(Math.abs(aheadMs) / 1_000) * 1_000)
  const where = aheadMs > 0 ? 'ahead of' : 'behind'
  if (Math.abs(aheadMs) <= noticedMs) return { status: 'ok', message: 'the same as ours, within 30 s', found }
  const fix =
    'Set the clock of this machine (`timedatectl set-ntp true`); if it is right, tell whoever runs the registry.'
  const message = `our clock is ${apart} ${where} that of ${target.host}: signatures, tokens and certificates depend on it`
  if (Math.abs(aheadMs) <= refusedMs) return { status: 'warning', message, fix, found }
  return { status: 'failed', message, fix, found }
}
