import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { round } from './figures.ts'

/** A function by the share of processor time that was spent in itself. */
export interface HotFunction {
  readonly name: string
  /** File and line, shortened; empty for what is no JavaScript. */
  readonly place: string
  readonly percent: number
}

/** A part of the gateway by the share of processor time that was spent in it and in all that it called. */
export interface HotArea {
  readonly area: string
  readonly percent: number
}

interface Frame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame; readonly children?: number[] }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const IDLE = new Set(['(idle)', '(root)'])
/** Of an area that is worth a line. */
const LEAST_PERCENT = 0.5
const NODE = 'HTTP, TLS, sockets and timers of Node'

/** Each sample is in one area: that of a stage wherever one is on the stack, else the first of these that is nearest. */
const AREAS: readonly (readonly [pattern: RegExp, area: string])[] = [
  [/gateway\/(handle|exchange)/, 'handle.ts itself'],
  [/gateway\/audit\//, 'record: batches, tree, disclosures and files'],
  [/gateway\/(detections|telemetry)\//, 'detections, metrics, log'],
  [/gateway\/listen\//, 'listener'],
  [/gateway\/egress\//, 'egress: what the upstream answers'],
  [/gateway\/store\//, 'store'],
  [/gateway\//, 'the rest of the gateway'],
  [/node_modules\/undici\//, 'undici'],
  [/node_modules\/ioredis\//, 'ioredis'],
]

/**
 * What the largest profile in a folder shows of the second half of its time, idle time left out: by then the gateway is
 * under load and its code compiled.
 */
export function readProfile(
  directory: string,
  mostFunctions: number,
): { readonly hottest: readonly HotFunction[]; readonly areas: readonly HotArea[] } {
  const texts = readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .sort((one, other) => other.length - one.length)
  const profile = JSON.parse(texts[0] ?? '{"nodes":[],"samples":[],"timeDeltas":[]}') as Profile
  const selfUs = selfTimesOf(profile)
  const areaOf = areasOf(profile)
  const byFunction = new Map<string, number>()
  const byArea = new Map<string, number>()
  let totalUs = 0
  for (const { id, callFrame } of profile.nodes) {
    const us = selfUs.get(id) ?? 0
    if (us === 0 || IDLE.has(callFrame.functionName)) continue
    totalUs += us
    add(byFunction, `${callFrame.functionName || '(anonymous)'}\t${placeOf(callFrame)}`, us)
    add(byArea, areaOf.get(id) ?? NODE, us)
  }
  const ranked = (times: ReadonlyMap<string, number>): [string, number][] =>
    [...times]
      .sort(([, one], [, other]) => other - one)
      .map(([key, us]) => [key, round((us / totalUs) * 100, 1)])
  return {
    hottest: ranked(byFunction)
      .slice(0, mostFunctions)
      .map(([key, percent]) => {
        const [name = '', place = ''] = key.split('\t')
        return { name, place, percent }
      }),
    areas: ranked(byArea)
      .map(([area, percent]) => ({ area, percent }))
      .filter(({ percent }) => percent >= LEAST_PERCENT),
  }
}

function selfTimesOf({ samples, timeDeltas }: Profile): Map<number, number> {
  const halfUs = timeDeltas.reduce((sum, us) => sum + us, 0) / 2
  const selfUs = new Map<number, number>()
  let passedUs = 0
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0
    passedUs += us
    if (passedUs > halfUs) add(selfUs, id, us)
  }
  return selfUs
}

/** The area of each node, from the root down: a node that tells none is in that of whoever called it. */
function areasOf({ nodes }: Profile): Map<number, string> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const areas = new Map<number, string>()
  const waiting: { readonly id: number; readonly from: string }[] = nodes
    .slice(0, 1)
    .map(({ id }) => ({ id, from: NODE }))
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const node = byId.get(at.id)
    if (node === undefined) continue
    const area = areaIn(node.callFrame, at.from)
    areas.set(node.id, area)
    for (const id of node.children ?? []) waiting.push({ id, from: area })
  }
  return areas
}

function areaIn({ functionName, url }: Frame, from: string): string {
  if (functionName === '(garbage collector)') return 'garbage collection'
  if (functionName === '(program)') return 'Node and V8 outside of JavaScript'
  const [, stage] = /gateway\/stages\/([a-z-]+)\.ts$/.exec(url) ?? []
  if (stage !== undefined) return `stage: ${stage}`
  if (from.startsWith('stage: ')) return from
  return AREAS.find(([pattern]) => pattern.test(url))?.[1] ?? from
}

function add<Key>(sums: Map<Key, number>, key: Key, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value)
}

function placeOf({ url, lineNumber }: Frame): string {
  if (url === '') return ''
  const short = url.replace(/^.*\/(?=(gateway|node_modules)\/)/, '')
  return `${short}:${String(lineNumber + 1)}`
}
