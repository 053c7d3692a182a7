/** Rules that let every proven agent do everything, for tests of what comes after policy; see `compileRules`. */
export const ALLOW_EVERYTHING = `
decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []} if input.agent.id != ""

decision := {"allow": false, "risk": 0, "reasons": [reason], "obligations": []} if input.agent.id == ""

reason := {"code": "agent.unknown", "rule": "R001", "detail": ""}
`
