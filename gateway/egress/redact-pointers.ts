/** Where redaction goes on below one member; made from JSON Pointers by `compilePointers`. */
export interface PointerNode {
  /** What stands here is redacted. */
  ends: boolean
  readonly members: Map<string, PointerNode>
  /** Below every member of an object and every element of an array. */
  any: PointerNode | undefined
}

/**
 * Makes one tree of JSON Pointers (RFC 6901). A token that is `*` and nothing else stands for every element of an array and
 * every member of an object; a member that is itself called `*` is among them.
 */
export function compilePointers(pointers: Iterable<string>): PointerNode {
  const root = pointerNode()
  for (const pointer of pointers) {
    let node = root
    for (const token of tokensOf(pointer))
      node = token === '*' ? (node.any ??= pointerNode()) : memberOf(node, token)
    node.ends = true
  }
  return root
}

/** RFC 6901 §4: `~1` first, so that `~01` is `~1` and not a slash. */
function tokensOf(pointer: string): readonly string[] {
  const tokens = pointer.slice(1).split('/')
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function memberOf(node: PointerNode, token: string): PointerNode {
  const known = node.members.get(token)
  if (known !== undefined) return known
  const made = pointerNode()
  node.members.set(token, made)
  return made
}

function pointerNode(): PointerNode {
  return { ends: false, members: new Map(), any: undefined }
}
