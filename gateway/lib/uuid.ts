const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}$/

/** Of any version, in lower case, as ids are written here. */
export function isUuid(untrusted: string): boolean {
  return UUID.test(untrusted)
}

/** @see RFC 9562 §5.7 */
export function isUuidV7(untrusted: string): boolean {
  const [, version, variant = ''] = UUID.exec(untrusted) ?? []
  return version === '7' && '89ab'.includes(variant)
}
