import { crc32 } from 'node:zlib'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ZERO = 0x30

/** ISO/IEC 7812-1 annex B: the digits of a card number, check digit included. A number of one digit only is none. */
export function passesLuhn(digits: Uint8Array): boolean {
  let sum = 0
  let alike = true
  for (let index = digits.length - 1, second = false; index >= 0; index -= 1, second = !second) {
    const digit = digits[index] ?? 0
    if (digit !== digits[0]) alike = false
    sum += second ? (digit * 2 > 9 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0 && !alike
}

/** GS1: 13 digits, of which the last is the check digit; a Swiss AHV number (eCH-0044) is one of these. */
export function passesEan13(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < 13; index += 1) {
    const digit = digits.charCodeAt(index) - ZERO
    sum += index % 2 === 0 ? digit : digit * 3
  }
  return sum % 10 === 0
}

/** The last six characters of a GitHub token are the CRC-32 of those between its prefix and them, in base 62. */
export function passesCrc32Base62(characters: string): boolean {
  const checked = characters.length - 6
  let rest = crc32(characters.slice(0, checked))
  for (let index = characters.length - 1; index >= checked; index -= 1) {
    if (characters[index] !== BASE62[rest % 62]) return false
    rest = Math.floor(rest / 62)
  }
  return rest === 0
}
