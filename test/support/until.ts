/**
 * Waits until `probe` gives something other than undefined and false.
 * @throws Error after `limitMs`, with what was waited for
 */
export async function until<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false> | Value | undefined | false,
  limitMs = 20_000,
): Promise<Value> {
  const end = Date.now() + limitMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
