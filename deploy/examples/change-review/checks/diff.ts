/** One line of the new text of a file. */
export interface Line {
  readonly number: number
  readonly text: string
  readonly added: boolean
}

/** The lines directly inside one pair of braces, such as `ingress { … }`; `header` is empty where a hunk starts inside. */
export interface Block {
  readonly header: string
  readonly lines: Line[]
}

export interface FileDiff {
  readonly path: string
  readonly added: readonly Line[]
  readonly removed: readonly string[]
  readonly blocks: readonly Block[]
}

/** Reads the hunks of one file of a unified diff (GitHub's `patch`). */
export function readPatch(path: string, patch: string): FileDiff {
  const added: Line[] = []
  const removed: string[] = []
  const blocks: Block[] = []
  let open: Block[] = []
  let next = 0
  for (const row of patch.split('\n')) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/.exec(row)
    if (hunk !== null) {
      next = Number(hunk[1])
      // What follows the second @@ is the line that the hunk's surrounding block began with.
      open = [{ header: hunk[2] ?? '', lines: [] }]
      blocks.push(...open)
      continue
    }
    // "\ No newline at end of file" is not a line of the file.
    if (row.startsWith('\\')) continue
    if (row.startsWith('-')) {
      removed.push(row.slice(1))
      continue
    }
    const line = { number: next, text: row.slice(1), added: row.startsWith('+') }
    next += 1
    if (line.added) added.push(line)
    open = place(line, open, blocks)
  }
  return { path, added, removed, blocks }
}

/** Puts a line into the innermost open block and returns the blocks that are open after it. */
function place(line: Line, open: Block[], blocks: Block[]): Block[] {
  const text = line.text.replace(/#.*$/, '').trim()
  if (text.endsWith('{')) {
    const block = { header: text.slice(0, -1).trim(), lines: [line] }
    blocks.push(block)
    return [...open, block]
  }
  const innermost = open.at(-1)
  innermost?.lines.push(line)
  if (text !== '}' || innermost === undefined) return open
  // A hunk that started inside a block can close more than it opened.
  return open.length > 1 ? open.slice(0, -1) : open
}

/** The line of a block that sets `name`, and the value as written. */
export function setting(block: Block, name: RegExp): { line: Line; value: string } | undefined {
  for (const line of block.lines) {
    const found = /^\s*"?(\w+)"?\s*[=:]\s*(.+?),?\s*$/.exec(line.text)
    if (found?.[1] !== undefined && name.test(found[1])) return { line, value: found[2] ?? '' }
  }
  return undefined
}
