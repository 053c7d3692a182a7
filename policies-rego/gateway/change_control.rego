# METADATA
# description: >-
#   A change to a change-controlled resource names its ticket and its way back, and is made in business hours.
#   Ticket and plan are declared by the agent: their presence is demanded here, their truth is for people.
package gateway.change_control

import data.gateway.facts

controlled if {
	facts.changes
	some record in facts.listed
	not record.change_controlled == false
}

# METADATA
# title: Change ticket
# description: A change to a change-controlled resource names a change ticket
# custom:
#   id: R040
deny contains {
	"code": "ticket.required",
	"rule": "R040",
	"detail": "Name the change ticket in Toolgate-Ticket.",
} if {
	controlled
	not has_ticket
}

# METADATA
# title: Form of the change ticket
# description: A change ticket is CHG- and digits
# custom:
#   id: R041
deny contains {
	"code": "ticket.invalid",
	"rule": "R041",
	"detail": "A change ticket is CHG- and digits.",
} if {
	controlled
	has_ticket
	not ticket_well_formed
}

# METADATA
# title: Rollback plan
# description: A change to a change-controlled resource says how it is undone
# custom:
#   id: R042
deny contains {
	"code": "rollback_plan.required",
	"rule": "R042",
	"detail": "Say in Toolgate-Rollback-Plan how the change is undone.",
} if {
	controlled
	not has_rollback_plan
}

# METADATA
# title: Business hours
# description: Changes are made when people are there to see them; a note to people may be left at any hour
# custom:
#   id: R043
deny contains {
	"code": "hours.closed",
	"rule": "R043",
	"detail": "Changes are made in business hours.",
} if {
	facts.changes
	not facts.advisory
	not input.time.business_hours == true
}

has_ticket if input.declared.ticket != ""

# A regular expression costs ten microseconds a call, this costs next to nothing.
ticket_well_formed if {
	startswith(input.declared.ticket, "CHG-")
	number := trim_prefix(input.declared.ticket, "CHG-")
	number != ""
	trim(number, "0123456789") == ""
}

has_rollback_plan if trim_space(input.declared.rollback_plan) != ""
