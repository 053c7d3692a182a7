import type { InjectionName, SecretName } from './findings.ts'

/**
 * One thing to look for by a literal that it holds. The literal is found by two of its characters, the rarest, so that
 * a text that holds nothing costs one look at a table for each character.
 *
 * `matches` has to look at a bounded number of characters and no more, whatever they are: it is asked once for each time
 * the literal stands in the text, and an agent chooses the text.
 */
export interface TextRule {
  readonly name: SecretName | InjectionName
  /** In lower case where `anyCase`. */
  readonly literal: string
  readonly anyCase: boolean
  /** `start` is where the literal begins. */
  matches(text: string, start: number): boolean
}

/** Index of characters in tables: letters without their case, all digits as one. */
export function foldCode(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20
  return code >= 0x30 && code <= 0x39 ? 0x30 : code
}

export function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
}
