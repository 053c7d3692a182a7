/** Ends a `switch` over a closed union; reached only when the types were lied to. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected case: ${String(value)}`)
}
