/**
 * A name of a certificate as RFC 4514 writes it, most specific part first. Node gives one line for each part, outermost
 * first, with RFC 4514's escapes and controls escaped, too: a line break is never part of a value.
 */
export function distinguishedName(nodeText: string): string {
  return nodeText.split('\n').reverse().join(',')
}
