/**
 * The text of the value at each of these paths, cut from JSON without parsing it: a number that went through a double
 * would come out another one (`2.50` as `2.5`, 2^53 + 1 as 2^53).
 *
 * @param json an object that `parseStrictJson` accepts: no name twice
 * @param paths names joined by slashes; none lies below another
 */
export function slicesAt(json: Buffer, paths: ReadonlySet<string>): ReadonlyMap<string, Buffer> {
  const slices = new Map<string, Buffer>()
  let at = 0

  const skipSpace = (): void => {
    while (isSpace(json[at])) at += 1
  }
  const skipString = (): void => {
    for (at += 1; json[at] !== QUOTE; at += 1) if (json[at] === BACKSLASH) at += 1
    at += 1
  }
  const skipValue = (): void => {
    let depth = 0
    do {
      const code = json[at]
      if (code === QUOTE) skipString()
      else {
        if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
        else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
        at += 1
      }
    } while (depth > 0 || !isDelimiter(json[at]))
  }
  const visit = (path: string): void => {
    skipSpace()
    const start = at
    if (path !== '' && (paths.has(path) || json[at] !== OPEN_BRACE)) {
      skipValue()
      if (paths.has(path)) slices.set(path, json.subarray(start, at))
      return
    }
    at += 1
    skipSpace()
    while (json[at] === QUOTE) {
      const nameAt = at
      skipString()
      const name = String(JSON.parse(json.toString('utf8', nameAt, at)))
      skipSpace()
      at += 1 // the colon
      visit(path === '' ? name : `${path}/${name}`)
      skipSpace()
      if (json[at] === COMMA) at += 1
      skipSpace()
    }
    at += 1
  }
  visit('')
  return slices
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

function isSpace(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

/** What may follow a value; the end of the text as well. */
function isDelimiter(code: number | undefined): boolean {
  return (
    code === undefined || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)
  )
}

interface Tree {
  readonly [name: string]: Tree | Buffer
}

/** One JSON object with the given texts at their paths, byte for byte; none lies below another. */
export function joinSlices(slices: Iterable<readonly [path: string, text: Buffer]>): Buffer {
  const tree: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [path, text] of slices) {
    const names = path.split('/')
    const last = names.pop() ?? ''
    let branch = tree
    for (const name of names) branch = (branch[name] ??= Object.create(null)) as Record<string, unknown>
    branch[last] = text
  }
  const parts: Buffer[] = []
  write(tree as Tree, parts)
  return Buffer.concat(parts)
}

function write(tree: Tree, parts: Buffer[]): void {
  let before = '{'
  for (const [name, value] of Object.entries(tree)) {
    parts.push(Buffer.from(`${before}${JSON.stringify(name)}:`))
    before = ','
    if (Buffer.isBuffer(value)) parts.push(value)
    else write(value, parts)
  }
  parts.push(Buffer.from(before === '{' ? '{}' : '}'))
}
