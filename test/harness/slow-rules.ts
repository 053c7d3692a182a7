import { FRIEND_RULES } from './opa.ts'

/** Rules whose evaluation takes as long as the square of what the body wishes for; some seconds for `SECONDS_WISH`. */
export const SLOW_RULES = `${FRIEND_RULES}
reasons contains {"code": "agent.unknown", "rule": "R002", "detail": ""} if pairs < 0
numbers_wished := numbers.range(1, input.params.body.wish)
pairs := count([1 |
	some x in numbers_wished
	some y in numbers_wished
	x == y
])
allow := false if input.params.body.conflict
`

export const SECONDS_WISH = 20_000
