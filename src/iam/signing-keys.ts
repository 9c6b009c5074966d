import { randomBytes } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { Fault } from '../core/fault.js'

/** How long one key signs. */
export const keyLifetimeMs = 30 * 86_400_000
/** A key is published so long before it signs, so that whoever keeps our key set has it in time. */
export const publishAheadMs = 86_400_000

/** A key by its slot of time, as it is kept. */
export interface StoredKey {
  readonly slot: number
  readonly kid: string
  /** JWK with the private part. */
  readonly privateJwk: string
}

/** A key, ready for use. */
export interface SigningKey {
  readonly slot: number
  readonly kid: string
  readonly sign: CryptoKey | Uint8Array
  readonly verify: CryptoKey | Uint8Array
  /** What is published: RFC 7517, RFC 8037. */
  readonly publicJwk: JWK
}

/** The slot of time in which `now` lies: its number, so that processes that make its key at once mean the same one. */
export function slotAt(now: number): number {
  return Math.floor(now / keyLifetimeMs)
}

/**
 * The slots that must have a key at `now`: the one that signs, and the next one once it is to be published. Keys of the slot
 * before still verify what they signed: it is kept for a whole slot, longer than any token lives.
 */
export function slotsWanted(now: number): readonly number[] {
  const slot = slotAt(now)
  return slotAt(now + publishAheadMs) === slot ? [slot] : [slot, slot + 1]
}

/** Makes a key for `slot`: Ed25519 (RFC 8032). */
export async function makeKey(slot: number): Promise<StoredKey> {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return { slot, kid: randomBytes(12).toString('hex'), privateJwk: JSON.stringify(await exportJWK(privateKey)) }
}

/** @throws Fault `store-damaged` for a key that is none */
export async function readKey({ slot, kid, privateJwk }: StoredKey): Promise<SigningKey> {
  try {
    const { crv, kty, x, d } = JSON.parse(privateJwk) as JWK
    if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined || d === undefined) throw new Error('not an Ed25519 key')
    const published = { kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }
    const [sign, verify] = await Promise.all([
      importJWK({ kty, crv, x, d }, 'EdDSA'),
      importJWK({ kty, crv, x }, 'EdDSA'),
    ])
    return { slot, kid, sign, verify, publicJwk: published }
  } catch (cause) {
    throw new Fault('store-damaged', `the signing key ${kid} cannot be read`, {
      cause,
      fix: 'Run `tidemark iam keys rotate`: it makes new ones, and whoever holds a token logs in again.',
    })
  }
}
