/** A longer copy, zero at the end: twice as long at least, so that adding one by one costs little. */
export function growing<Numbers extends Float64Array | Int32Array>(numbers: Numbers, atLeast: number): Numbers {
  const length = Math.max(atLeast, numbers.length * 2)
  const longer = numbers instanceof Int32Array ? new Int32Array(length) : new Float64Array(length)
  longer.set(numbers)
  return longer as Numbers
}
