import type { DetectorsConfig } from '../config/detectors-config.ts'
import type { Admitted, ReadBody } from '../exchange.ts'
import type { HeaderList } from '../lib/header-list.ts'
import { parseMediaType } from '../lib/media-type.ts'
import { FINDING_KINDS, NOTHING_FOUND, type Findings } from './findings.ts'
import { type Coding, isCoding, ReplySearch } from './reply-search.ts'
import { searchRequest } from './request-search.ts'
import { planSearch, type SearchPlan } from './search-plan.ts'

/** Finds secrets, personal data and attempts at talking an agent over; `detectors` of toolgate.yaml. */
export interface Detectors {
  /** In what is about to be decided. */
  request(call: Pick<Admitted, 'pathParams' | 'query' | 'declared'>, content: ReadBody): Findings
  /** For one answer; `undefined` where nothing is looked for in an answer like this. */
  reply(headers: HeaderList): ReplySearch | undefined
}

export function createDetectors(config: DetectorsConfig): Detectors {
  const ofRequest = planOf(config, 'request')
  const ofReply = planOf(config, 'response')
  const isText = textTypes()
  return {
    request: (call, content) =>
      ofRequest === undefined
        ? NOTHING_FOUND
        : searchRequest(ofRequest, call, content, config.requestLimitBytes),
    reply(headers) {
      if (ofReply === undefined) return undefined
      const coding = codingOf(headers)
      if (coding === 'other' || !isText(headers.get('content-type') ?? '')) return undefined
      return new ReplySearch(ofReply, config.responseLimitBytes, coding === 'none' ? undefined : coding)
    },
  }
}

function planOf(config: DetectorsConfig, side: 'request' | 'response'): SearchPlan | undefined {
  const kinds = new Set(FINDING_KINDS.filter((kind) => config[kind][side]))
  if (kinds.size === 0) return undefined
  return planSearch({ kinds, pii: config.pii.kinds, entropy: config.secrets.entropy })
}

const TEXT_TYPE = /^text\/|[/+](?:json|xml|javascript|x-ndjson|x-www-form-urlencoded|yaml)$/

/** Whether an answer is of a type that a model is given to read; most have the type that the one before had. */
function textTypes(): (contentType: string) => boolean {
  let last = ''
  let wasText = false
  return (contentType) => {
    if (contentType === last) return wasText
    const mediaType = parseMediaType(contentType)
    last = contentType
    wasText = mediaType !== undefined && TEXT_TYPE.test(mediaType.essence)
    return wasText
  }
}

function codingOf(received: HeaderList): Coding | 'none' | 'other' {
  if (!received.has('content-encoding')) return 'none'
  const coding = received.all('content-encoding').join(',').trim().toLowerCase()
  if (coding === '' || coding === 'identity') return 'none'
  return isCoding(coding) ? coding : 'other'
}
