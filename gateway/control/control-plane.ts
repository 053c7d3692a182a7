import { controlProblem } from './control-problem.ts'
import type {
  ChannelAnswer,
  ChannelRoute,
  ControlAnswer,
  ControlPlane,
  ControlRequest,
  ControlRoute,
} from './control.ts'

export interface ControlPlaneOptions {
  readonly routes: readonly ControlRoute[]
  readonly channels: readonly ChannelRoute[]
  /** Told of whatever a route throws; who asked is told nothing but that it failed. */
  readonly onFault: (cause: unknown) => void
}

type Parameters = Readonly<Record<string, string>>

interface Found {
  readonly route: ControlRoute
  readonly parameters: Parameters
}

/** Answers in this process, with the routes of its own parts. */
export function createControlPlane({ routes, channels, onFault }: ControlPlaneOptions): ControlPlane {
  // A path that is spelt out is meant before one that fits by a parameter.
  const compiled = routes
    .map((route) => ({ route, segments: route.pattern.split('/') }))
    .sort((one, other) => count(one.segments) - count(other.segments))
  const byPath = new Map(channels.map((channel) => [channel.path, channel]))

  const matching = (path: string): readonly Found[] => {
    const given = segmentsOf(path)
    if (given === undefined) return []
    return compiled.flatMap(({ route, segments }) => {
      const parameters = match(segments, given)
      return parameters === undefined ? [] : [{ route, parameters }]
    })
  }
  const answer = async (request: ControlRequest): Promise<ControlAnswer> => {
    const found = matching(request.path)
    if (found.length === 0) return controlProblem(404, 'No such resource')
    const fitting = found.find(({ route }) => route.method === request.method)
    if (fitting !== undefined) return fitting.route.answer(request, fitting.parameters)
    const allow = [...new Set(found.map(({ route }) => route.method))].join(', ')
    return controlProblem(405, `Only ${allow} here`, {}, { Allow: allow })
  }
  return {
    control: (request) =>
      answer(request).catch((cause: unknown) => {
        onFault(cause)
        return controlProblem(500, 'The gateway failed to answer')
      }),
    async channel(request) {
      try {
        const route = byPath.get(request.path)
        return route === undefined ? channelProblem(404, 'No such channel') : await route.answer(request)
      } catch (cause) {
        onFault(cause)
        return channelProblem(500, 'The gateway failed to answer')
      }
    },
  }
}

function channelProblem(status: number, title: string): ChannelAnswer {
  const { body } = controlProblem(status, title)
  return { status, contentType: 'application/problem+json', body: JSON.stringify(body) }
}

function count(segments: readonly string[]): number {
  return segments.filter(isParameter).length
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{')
}

/** Decoded one by one, so that an encoded slash is part of a name and never a separator. */
function segmentsOf(path: string): readonly string[] | undefined {
  try {
    return path.split('/').map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function match(pattern: readonly string[], given: readonly string[]): Parameters | undefined {
  if (pattern.length !== given.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, segment] of pattern.entries()) {
    const value = given[index] ?? ''
    if (isParameter(segment) && value !== '') parameters[segment.slice(1, -1)] = value
    else if (segment !== value) return undefined
  }
  return parameters
}
