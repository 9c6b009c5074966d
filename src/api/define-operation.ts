import type { Static, TSchema } from 'typebox'
import type { CallName, Calls } from '../../client/src/index.js'

/** What goes into an operation and what comes out of it. */
export interface OperationSchemas {
  readonly input: TSchema
  readonly output: TSchema
}

/** `true` when both types take each other's values; a schema that differs from the client's type does not compile. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never

/** The schemas of one operation; `_same` makes the compiler prove that they are the client's types. */
export function define<Name extends CallName, Input extends TSchema, Output extends TSchema>(
  _name: Name,
  input: Input,
  output: Output,
  _same: Same<Static<Input>, Calls[Name]['input']> & Same<Static<Output>, Calls[Name]['output']>,
): OperationSchemas {
  return { input, output }
}
