# METADATA
# description: Who calls, for whom, and from what device
package gateway.caller

import data.gateway.facts

# METADATA
# title: Input version
# description: Rules written for one version of the input must not judge another
# custom:
#   id: R000
deny contains {
	"code": "input.unsupported",
	"rule": "R000",
	"detail": "This policy reads version 1 of the input.",
} if {
	not input.v == 1
}

# METADATA
# title: Registered agent
# description: An agent that nobody has registered may do nothing
# custom:
#   id: R001
deny contains {
	"code": "agent.unknown",
	"rule": "R001",
	"detail": "The agent is not in the registry.",
} if {
	not facts.agent
}

# METADATA
# title: Agent of the tenant
# description: An agent acts only for the tenant it was registered for
# custom:
#   id: R002
deny contains {
	"code": "tenant.mismatch",
	"rule": "R002",
	"detail": "The agent is registered for another tenant.",
} if {
	facts.agent
	not facts.agent.tenant == input.tenant
}

# METADATA
# title: Issuer of the agent
# description: Where the registry names an issuer, no other one speaks for the agent, whatever names it gives
# custom:
#   id: R004
deny contains {
	"code": "agent.unknown",
	"rule": "R004",
	"detail": "The agent is registered with another issuer.",
} if {
	facts.agent.issuer
	not facts.agent.issuer == input.agent.issuer
}

# METADATA
# title: Compliant device
# description: The principal works from a device that the identity provider calls compliant
# custom:
#   id: R003
deny contains {
	"code": "device.not_compliant",
	"rule": "R003",
	"detail": "The device of the principal is not compliant.",
} if {
	not input.principal.device_compliant == true
}

# METADATA
# title: Allowed groups
# description: The principal is in a group that may use the tool
# custom:
#   id: R010
deny contains {
	"code": "group.not_allowed",
	"rule": "R010",
	"detail": $"None of the groups of the principal may use {input.operation.id}.",
} if {
	not in_allowed_group
}

in_allowed_group if {
	some group in input.principal.groups
	facts.groups[group] == true
}
