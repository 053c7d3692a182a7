# METADATA
# description: Production is closed to agents unless a role opens it
package gateway.environments

import data.gateway.facts

# METADATA
# title: Open environment
# description: The environment is open to every agent, or a role of the agent opens it
# custom:
#   id: R035
deny contains {
	"code": "environment.not_allowed",
	"rule": "R035",
	"detail": $"No role of the agent opens {environment}.",
} if {
	some environment in facts.environments
	not data.registry.environments[environment].open == true
	not opened_by_role(environment)
}

opened_by_role(environment) if {
	some role in facts.roles
	data.registry.roles[role].environments[environment] == true
}
