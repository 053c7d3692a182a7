import type { InjectionName } from './findings.ts'
import type { TextRule } from './text-rule.ts'

/** Characters before the word that a phrase is found by: as many as `do not` takes, and what may stand between. */
const BEFORE = 32

interface Phrase {
  readonly name: InjectionName
  /** Words that it is found by, in lower case. */
  readonly words: readonly string[]
  /**
   * From that word on; a space stands for any white space, and case does not matter. Bounded, and each repetition has one
   * way to match.
   */
  readonly phrase: string
  /** What has to stand right before the word. */
  readonly before?: string
  /** What the match has to hold, too. */
  readonly holding?: RegExp
}

const WHOSE =
  '(?:all |any |every |each |the |your |my |our |of |these |those |this |that |and |or |previous |prior |above |earlier |preceding |former |original |initial |system |developer |safety |security |existing |other |given )'
/** One of these at least, or it is what anybody says of a linter. */
const EARLIER =
  /\b(?:previous|prior|above|earlier|preceding|former|original|initial|system|developer|safety|security|your)\b/i

/**
 * What attempts to talk an agent over have in common. A net with known holes: whoever knows it words it another way, and
 * no list of phrases is protection. It tells policy and people that something tried, most often something copied.
 */
const PHRASES: readonly Phrase[] = [
  {
    name: 'instruction_override',
    words: ['ignore', 'disregard', 'forget', 'override', 'bypass'],
    phrase: `(?:ignore|disregard|forget|override|bypass) ${WHOSE}{1,6}(?:instruction|prompt|direction|guideline|directive|command|rule|polic|guardrail|constraint|context|message)`,
    holding: EARLIER,
  },
  {
    name: 'instruction_override',
    words: ['ignorier', 'vergiss', 'missachte'],
    phrase:
      '(?:ignorier(?:e|en sie|t)?|vergiss|missachte) (?:bitte )?(?:alle |die |deine |ihre |sämtliche ){0,3}(?:vorherigen|vorigen|bisherigen|obigen|früheren|vorangegangenen|ursprünglichen) (?:anweisung|instruktion|regel|vorgabe|befehl)',
  },
  {
    name: 'instruction_override',
    words: ['ignore', 'oublie'],
    phrase:
      '(?:ignore|oublie)(?:r|z|s)? (?:toutes |tous )?(?:les |tes |vos )(?:instructions?|consignes?|règles?|directives?) (?:précédente|antérieure|ci-dessus|initiale|système)',
  },
  {
    name: 'instruction_override',
    words: ['ignora', 'olvida', 'dimentica'],
    phrase:
      '(?:ignora|olvida|dimentica)(?:d|te)? (?:todas |tutte )?(?:las |le |tus |tue )(?:instrucciones|istruzioni|reglas|regole) (?:anterior|previa|precedent|iniziali|del sistema)',
  },
  {
    name: 'role_override',
    words: ['you are now', 'from now on you', 'from now on, you'],
    phrase:
      '(?:you are now (?:a |an |in |the |my |no longer |free |dan\\b|root|admin|unrestricted|jailbroken)|from now on,? you (?:are|will|must|shall|should|have) )',
  },
  {
    name: 'role_override',
    words: ['developer mode', 'jailbreak mode'],
    phrase: '(?:developer mode (?:enabled|on\\b|activated|is now)|jailbreak mode)',
  },
  {
    name: 'concealment',
    words: ['tell', 'inform', 'mention', 'notify', 'alert', 'show', 'reveal'],
    phrase:
      '(?:tell|inform|mention|notify|alert|show|reveal)(?:ing)? (?:this |it |that |anything |of this )?(?:to )?(?:the |your |any |a )?(?:user|human|operator|approver|reviewer|owner|administrator|security team)\\b',
    before: "(?:do not|don['’]t|never|without|must not|not to) (?:ever )?$",
  },
  {
    name: 'prompt_extraction',
    words: ['system prompt', 'system message', 'initial instructions', 'hidden instructions'],
    phrase: '(?:system prompt|system message|(?:initial|hidden) instructions)',
    before:
      '(?:reveal|print|show|repeat|output|display|leak|send|include|disclose) (?:me )?(?:your|the) (?:full |whole |entire )?$',
  },
]

/** How models are told who speaks; in the content of a call it speaks for somebody else. */
const MARKUP = [
  '<|im_start|>',
  '<|im_end|>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|endoftext|>',
  '<|start_header_id|>',
  '<|eot_id|>',
  '[/inst]',
  '<<sys>>',
  '<start_of_turn>',
] as const

export const INJECTION_RULES: readonly TextRule[] = [
  ...PHRASES.flatMap(rulesOf),
  ...MARKUP.map((literal): TextRule => ({
    name: 'chat_markup',
    literal,
    anyCase: true,
    matches: () => true,
  })),
  { name: 'exfiltration_link', literal: '](http', anyCase: true, matches: isMarkdownImage },
  { name: 'exfiltration_link', literal: '<img', anyCase: true, matches: isHtmlImage },
]

function rulesOf({ name, words, phrase, before, holding }: Phrase): TextRule[] {
  const ahead = new RegExp(spaced(phrase), 'iy')
  const behind = before === undefined ? undefined : new RegExp(spaced(before), 'i')
  return words.map((literal) => ({
    name,
    literal,
    anyCase: true,
    matches(text, start) {
      ahead.lastIndex = start
      if (!ahead.test(text)) return false
      if (holding !== undefined && !holding.test(text.slice(start, ahead.lastIndex))) return false
      return behind === undefined || behind.test(text.slice(Math.max(0, start - BEFORE), start))
    },
  }))
}

function spaced(phrase: string): string {
  return phrase.replaceAll(' ', String.raw`\s{1,4}`)
}

const ADDRESS = /[^\s()]{8,512}/y
const TAG = /[^<>]{8,512}/y
const CAPTION_LIMIT = 128
/** A place to be filled in by whoever renders or follows it. */
const PLACEHOLDER =
  /\{\{?[\w .-]{1,40}\}|%7b[\w%.-]{1,40}%7d|<[\w .-]{1,40}>|\[[\w .-]{1,40}\]|\$\{?[a-z_]{2,40}/i
/** Parameters that nobody needs to fetch a picture. */
const CARRIES =
  /[?&](?:data|secrets?|api_?key|passwords?|payload|exfil\w{0,8}|leak|stolen|conversation|context|prompt|history|chat|env|cookies?|credentials?)=[^&\s)"']/i

/**
 * An image is fetched as soon as somebody looks at the text, and takes its address along (CVE-2025-32711, EchoLeak). An
 * address ends where another link could begin, so that none is looked at twice.
 */
function isMarkdownImage(text: string, start: number): boolean {
  if (!text.slice(Math.max(0, start - CAPTION_LIMIT), start).includes('![')) return false
  ADDRESS.lastIndex = start + 2
  return carriesData(ADDRESS.exec(text)?.[0])
}

function isHtmlImage(text: string, start: number): boolean {
  TAG.lastIndex = start + 4
  const tag = TAG.exec(text)?.[0] ?? ''
  return carriesData(/\bsrc\s{0,4}=\s{0,4}\\?["']?(https?:\/\/[^\s"'\\]{4,})/i.exec(tag)?.[1])
}

function carriesData(address: string | undefined): boolean {
  if (address === undefined) return false
  const query = address.indexOf('?')
  return PLACEHOLDER.test(address) || (query !== -1 && CARRIES.test(address.slice(query)))
}
