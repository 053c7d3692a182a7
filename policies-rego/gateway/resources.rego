# METADATA
# description: Which repositories, projects, channels and accounts the tenant has opened to agents
package gateway.resources

import data.gateway.facts

# METADATA
# title: Named resource
# description: A call that does not say what it acts upon cannot be judged by what it acts upon
# custom:
#   id: R030
deny contains {
	"code": "resource.unknown",
	"rule": "R030",
	"detail": $"The call does not name its {facts.names}.",
} if {
	facts.names != "nothing"
	not facts.named[facts.names]
}

# METADATA
# title: Allowed repositories
# description: A named repository is on the list of the tenant
# custom:
#   id: R031
deny contains {
	"code": "repository.not_allowed",
	"rule": "R031",
	"detail": "The repository is not on the list of the tenant.",
} if {
	facts.named.repository
	not facts.listed.repository
}

# METADATA
# title: Allowed projects
# description: A named project or space is on the list of the tenant
# custom:
#   id: R032
deny contains {
	"code": "project.not_allowed",
	"rule": "R032",
	"detail": "The project is not on the list of the tenant.",
} if {
	facts.named.project
	not facts.listed.project
}

# METADATA
# title: Allowed channels
# description: A named channel is on the list of the tenant
# custom:
#   id: R033
deny contains {
	"code": "channel.not_allowed",
	"rule": "R033",
	"detail": "The channel is not on the list of the tenant.",
} if {
	facts.named.channel
	not facts.listed.channel
}

# METADATA
# title: Allowed accounts
# description: A named account is on the list of the tenant
# custom:
#   id: R034
deny contains {
	"code": "account.not_allowed",
	"rule": "R034",
	"detail": "The account is not on the list of the tenant.",
} if {
	facts.named.account
	not facts.listed.account
}
