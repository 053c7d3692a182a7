/** Bars and ranges as SVG, drawn by hand: the pictures of the results need no more, and no library. */

export interface Bar {
  readonly name: string
  readonly isOurs: boolean
  readonly value: number
  readonly label: string
}

export interface Range {
  readonly name: string
  readonly isOurs: boolean
  /** Rising. */
  readonly values: readonly number[]
}

const WIDTH = 860
const NAMES_WIDTH = 270
const LABEL_WIDTH = 90
const LINE_HEIGHT = 26
const TOP = 56
const OURS = '#2f7d6d'
const THEIRS = '#8a94a6'
// Readable on a white page and on a dark one.
const TEXT = '#6b7280'

/** One bar for each, from zero. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value), 1)
  const room = WIDTH - NAMES_WIDTH - LABEL_WIDTH
  const lines = bars.map(({ name, isOurs, value, label }, index) => {
    const y = TOP + index * LINE_HEIGHT
    const width = Math.max(1, (value / most) * room)
    return [
      nameAt(name, y),
      `<rect x="${NAMES_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="16" rx="2" fill="${isOurs ? OURS : THEIRS}"/>`,
      text(NAMES_WIDTH + width + 6, y + 12, label, 'start'),
    ].join('\n')
  })
  return picture(`${title}, ${unit}`, TOP + bars.length * LINE_HEIGHT + 10, lines)
}

/** A line from the first value to the last with a dot at each, on a logarithmic axis. */
export function rangeChart(title: string, marks: string, ranges: readonly Range[]): string {
  const values = ranges.flatMap((range) => range.values).filter((value) => value > 0)
  const from = Math.floor(Math.log10(Math.min(...values, 1)))
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values, 1))))
  const room = WIDTH - NAMES_WIDTH - 40
  const at = (value: number): number =>
    NAMES_WIDTH + ((Math.log10(Math.max(value, 10 ** from)) - from) / (to - from)) * room
  const height = TOP + ranges.length * LINE_HEIGHT + 10
  const axis = Array.from({ length: to - from + 1 }, (_none, index) => {
    const value = 10 ** (from + index)
    const x = at(value).toFixed(1)
    return [
      `<line x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${height - 8}" stroke="${TEXT}" stroke-opacity="0.25"/>`,
      text(at(value), TOP - 14, `${String(Number(value.toPrecision(1)))} ms`, 'middle'),
    ].join('\n')
  })
  const lines = ranges.map(({ name, isOurs, values: marksOf }, index) => {
    const y = TOP + index * LINE_HEIGHT + 8
    const colour = isOurs ? OURS : THEIRS
    const [first = 0, last = 0] = [marksOf[0], marksOf.at(-1)]
    const dots = marksOf.map(
      (value) => `<circle cx="${at(value).toFixed(1)}" cy="${y}" r="4.5" fill="${colour}"/>`,
    )
    const line = `<line x1="${at(first).toFixed(1)}" y1="${y}" x2="${at(last).toFixed(1)}" y2="${y}" stroke="${colour}" stroke-width="2"/>`
    return [nameAt(name, y - 8), line, ...dots].join('\n')
  })
  return picture(`${title}: ${marks}`, height, [...axis, ...lines])
}

function nameAt(name: string, y: number): string {
  return text(NAMES_WIDTH - 8, y + 12, name, 'end')
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" fill="${TEXT}">${escaped(content)}</text>`
}

function picture(title: string, height: number, lines: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>${escaped(title)}</title>
<text x="8" y="20" font-size="14" font-weight="600" fill="${TEXT}">${escaped(title)}</text>
${lines.join('\n')}
</svg>
`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
