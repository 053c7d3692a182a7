# METADATA
# description: What the detectors of the gateway found in the request
package gateway.content

import data.gateway.facts

# METADATA
# title: No secrets in a change
# description: A credential must not be written into a ticket, a message or a repository
# custom:
#   id: R050
deny contains {
	"code": "secret.in_write",
	"rule": "R050",
	"detail": "The request carries what looks like a secret.",
} if {
	facts.changes
	not clean
}

clean if count(input.signals.secrets) == 0
