# METADATA
# description: >-
#   The one document the gateway enforces. A pack joins by adding its deny set here. Nothing is allowed
#   without a grant, and one deny outweighs every grant.
package gateway.decision

import data.gateway.caller
import data.gateway.change_control
import data.gateway.content
import data.gateway.data_classes
import data.gateway.environments
import data.gateway.grants
import data.gateway.history
import data.gateway.money
import data.gateway.obligations
import data.gateway.resources
import data.gateway.risk

# METADATA
# title: Decision on one call
# entrypoint: true
decision := {
	"allow": allow,
	"risk": risk.score,
	"reasons": reasons,
	"reported": reported,
	"obligations": due,
}

default allow := false

allow if {
	count(reasons) == 0
	count(grants.grant) > 0
}

reasons := fired - reported

# METADATA
# description: >-
#   Reasons of rules that the registry has in report mode: they are told, and deny nothing. Any other mode is the
#   ordinary one. What holds the boundary itself denies whatever the registry says.
reported contains reason if {
	some reason in fired
	data.registry.rules[reason.rule].mode == "report"
	not boundary[reason.code]
}

boundary := {"input.unsupported", "agent.unknown", "tenant.mismatch", "operation.not_granted"}

fired := union({
	caller.deny,
	grants.deny,
	resources.deny,
	environments.deny,
	change_control.deny,
	content.deny,
	data_classes.deny,
	money.deny,
	history.deny,
})

# What is refused anyway owes nothing: nobody should be asked about a call that cannot happen.
default due := set()

due := obligations.obligation if allow
