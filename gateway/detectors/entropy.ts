const LONGEST = 128
/** Bits per character; a UUID or a digest in hexadecimal has at most 4, words and names less than that. */
const THRESHOLD_BITS = 4.3

/** Whether a run of the base64 alphabets looks random: mixed, and of high entropy (Shannon). */
export function isHighEntropy(run: string): boolean {
  if (run.length > LONGEST || !/[a-z]/.test(run) || !/[A-Z]/.test(run)) return false
  // Names are written of letters; of random characters every sixth is a digit.
  if (run.replaceAll(/\D/g, '').length < run.length / 12) return false
  const counts = new Map<string, number>()
  for (const character of run) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / run.length) * Math.log2(count / run.length)
  return bits >= THRESHOLD_BITS
}
