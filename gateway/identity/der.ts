/** One element of DER (X.690 §8.1): its tag and the octets of its content. */
interface Element {
  readonly tag: number
  readonly content: Buffer
}

const KEY_USAGE = Buffer.from([0x55, 0x1d, 0x0f])
const OBJECT_IDENTIFIER = 0x06
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const EXTENSIONS = 0xa3

/**
 * First octet of the key usage bits of a certificate (RFC 5280 §4.2.1.3), 0 when it has no such extension. Node's
 * `keyUsage` shows the extended key usage under that name, so the bits are read from the DER, which OpenSSL has
 * already accepted as a certificate.
 */
export function keyUsageBits(certificate: Buffer): number {
  const [outer] = elementsOf(certificate)
  const [toBeSigned] = outer === undefined ? [] : elementsOf(outer.content)
  const wrapped = elementsOf(toBeSigned?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === EXTENSIONS)
  const [list] = elementsOf(wrapped?.content ?? Buffer.alloc(0))
  for (const extension of elementsOf(list?.content ?? Buffer.alloc(0))) {
    const parts = elementsOf(extension.content)
    if (parts[0]?.tag !== OBJECT_IDENTIFIER || !parts[0].content.equals(KEY_USAGE)) continue
    const value = parts.find(({ tag }) => tag === OCTET_STRING)
    const [bits] = elementsOf(value?.content ?? Buffer.alloc(0))
    return bits?.tag === BIT_STRING ? (bits.content[1] ?? 0) : 0
  }
  return 0
}

/** The elements side by side in `bytes`; stops at the first that does not fit. */
function elementsOf(bytes: Buffer): readonly Element[] {
  const elements: Element[] = []
  for (let offset = 0; offset + 2 <= bytes.length;) {
    const tag = bytes[offset] ?? 0
    const first = bytes[offset + 1] ?? 0
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    if (lengthBytes > 4 || offset + 2 + lengthBytes > bytes.length) break
    const length = lengthBytes === 0 ? first & 0x7f : bytes.readUIntBE(offset + 2, lengthBytes)
    const start = offset + 2 + lengthBytes
    if (start + length > bytes.length) break
    elements.push({ tag, content: bytes.subarray(start, start + length) })
    offset = start + length
  }
  return elements
}
