import { terraformBlocks } from './check.ts'
import type { Change, Check } from './check.ts'
import { setting } from './diff.ts'
import type { Block, Line } from './diff.ts'

const ADMIN_PORTS = [22, 3389, 5985, 5986]
const WORLD = /"(0\.0\.0\.0\/0|::\/0)"/

/** An ingress rule that, as the change leaves it, lets the whole internet reach a port for administration. */
export const openAdminPort: Check = (change: Change) =>
  terraformBlocks(change).flatMap(({ file, block }) => {
    const open = opening(block)
    if (open === undefined) return []
    return [
      {
        check: 'open-admin-port',
        standard: 'SEC-STD-03',
        severity: 'high' as const,
        file: file.path,
        line: open.line.number,
        evidence: `${open.line.text.trim()} on port ${open.ports}`,
        advice: 'Limit the source to the corporate ranges, or use the access proxy.',
      },
    ]
  })

function opening(block: Block): { line: Line; ports: string } | undefined {
  const from = setting(block, /^from_port$/)
  const to = setting(block, /^to_port$/)
  const source = setting(block, /^(ipv6_)?cidr_blocks|cidr_ipv[46]$/)
  if (from === undefined || source === undefined || !WORLD.test(source.value)) return undefined
  const [low, high] = [Number(from.value), Number(to?.value ?? from.value)]
  // A rule counts when the change touches any part of it: the source, or the ports.
  const touched = [source, from, to].some((part) => part?.line.added === true)
  const exposed =
    ADMIN_PORTS.some((port) => low <= port && port <= high) || setting(block, /^protocol$/)?.value === '"-1"'
  return touched && exposed
    ? { line: source.line, ports: low === high ? `${low}` : `${low}-${high}` }
    : undefined
}
