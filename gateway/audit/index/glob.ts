/** A text as SQLite's GLOB takes it: only `*` means more than itself. */
export function globOf(text: string): string {
  return text.replaceAll(/[?[]/g, '[$&]')
}
