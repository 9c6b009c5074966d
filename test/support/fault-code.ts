import { isFault } from '../../src/core/fault.js'

/** The code of the fault that `work` fails with; `otherwise` when it does not. What is no fault is thrown. */
export async function faultCodeOf(work: Promise<unknown>, otherwise = 'no fault'): Promise<string> {
  try {
    await work
  } catch (error) {
    if (isFault(error)) return error.code
    throw error
  }
  return otherwise
}
