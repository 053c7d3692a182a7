package gateway.obligations_test

import data.gateway.fixtures_test as fixtures
import data.gateway.obligations

people(input_document) := {obligation.properties.count |
	some obligation in obligations.obligation with input as input_document
}

risky(risk) := object.union(fixtures.change, {"operation": {"risk": risk, "data_class": "public"}})

approved(call, approvers) := object.union(call, {"approval": {"state": "approved", "id": "a", "approvers": approvers}})

# Staging is 2.
test_r060_fires_for_one_person_from_three if {
	people(risky(1)) == {1}
	people(risky(5)) == {1}
}

test_r060_fires_for_two_people_from_eight if {
	people(risky(6)) == {2}
	people(risky(10)) == {2}
}

test_r060_quiet_below_three if count(people(risky(0))) == 0

test_r060_quiet_for_a_read if count(people(object.union(fixtures.read, {"operation": {"risk": 10}}))) == 0

test_r060_quiet_for_a_note_to_people if {
	count(people(object.union(fixtures.comment, {"operation": {"risk": 10}}))) == 0
}

test_r060_quiet_once_approved if {
	count(people(approved(risky(1), ["kim"]))) == 0
	count(people(approved(risky(6), ["kim", "lee"]))) == 0
}

test_r060_fires_while_too_few_have_approved if {
	people(approved(risky(1), [])) == {1}
	people(approved(risky(6), ["kim"])) == {2}
}

test_r060_fires_when_one_person_approved_twice if people(approved(risky(6), ["kim", "kim"])) == {2}

test_r060_fires_when_approvers_are_named_but_nothing_is_approved if {
	call := object.union(risky(1), {"approval": {"state": "none", "approvers": ["kim"]}})
	people(call) == {1}
}

test_r060_fires_on_the_first_change_of_its_kind if {
	people(object.union(risky(0), {"signals": {"first_use": true}})) == {1}
}

test_r060_fires_where_nobody_knows_whether_it_is_the_first if {
	people(object.remove(risky(0), ["signals"])) == {1}
}

test_r060_fires_for_two_where_the_registry_does_not_say_how_many if {
	silent := object.remove(data.registry.approvals, ["first_use"])
	first := object.union(risky(0), {"signals": {"first_use": true}})
	counts := {obligation.properties.count | some obligation in obligations.obligation} with input as first
		with data.registry.approvals as silent
	counts == {2}
}

test_r060_quiet_on_the_first_note_to_people if {
	count(people(object.union(fixtures.comment, {"signals": {"first_use": true}}))) == 0
}

test_r060_quiet_on_the_first_read if {
	count(people(object.union(fixtures.read, {"signals": {"first_use": true}}))) == 0
}

test_r060_names_who_and_for_how_long if {
	some obligation in obligations.obligation with input as risky(6)
	obligation == {"id": "R060", "type": "approval", "properties": {
		"groups": {"change-approvers"},
		"count": 2,
		"distinct": true,
		"ttl_seconds": 1800,
		"escalation_group": "change-managers",
		"escalate_after_seconds": 600,
		"excluded": {"release-engineering@zyx.example"},
	}}
}

test_r060_names_nobody_where_the_registry_knows_no_owner if {
	some obligation in obligations.obligation with input as risky(6)
		with data.registry.agents as {"release-agent": {"tenant": "zyx-bank"}}
	obligation.properties.excluded == set()
}

phased(risk, phase) := object.union(risky(risk), {"operation": {"phase": phase}})

test_r060_fires_for_what_commits_however_small if {
	people(phased(0, "commit")) == {1}
	people(phased(6, "commit")) == {2}
}

test_r060_fires_for_a_phase_that_nobody_knows if {
	people(phased(0, "finish")) == {1}
	people(object.remove(phased(0, ""), ["operation"])) == {2}
}

test_r060_fires_for_two_where_the_registry_does_not_say_who_commits if {
	silent := object.remove(data.registry.approvals, ["commit"])
	counts := {obligation.properties.count | some obligation in obligations.obligation} with input as phased(0, "commit")
		with data.registry.approvals as silent
	counts == {2}
}

test_r060_quiet_for_a_draft_of_some_risk if {
	count(people(phased(6, "prepare"))) == 0
	count(people(object.union(phased(6, "prepare"), {"signals": {"first_use": true}}))) == 0
}

test_r060_fires_for_a_draft_of_high_risk if people(phased(9, "prepare")) == {2}

test_r060_quiet_for_a_read_and_a_note_that_commit if {
	count(people(object.union(fixtures.read, {"operation": {"phase": "commit"}}))) == 0
	count(people(object.union(fixtures.comment, {"operation": {"phase": "commit"}}))) == 0
}

owed := {
	"operations": {
		"github.pulls/get": {"redact": {"pointers": {"/body": true, "/title": false}}},
		"jira.addComment": {
			"approval": {"people": 1, "groups": {"ticket-owners": true}},
			"post_review": {"groups": {"reviewers": true}, "ttl_seconds": 600},
			"notify": {"groups": {"watchers": true}},
		},
	},
	"data_classes": {"restricted": {
		"read": {"approval": {"people": 2}, "redact": {"pointers": {"/secret": true}}},
		"write": {
			"approval": {"people": 3, "groups": {"custodians": true}},
			"post_review": {"groups": {"custodians": true}, "ttl_seconds": 60},
		},
	}},
	"risk": [{"at_least": 9, "notify": {"groups": {"duty": true}}}],
}

owes(call) := {obligation.id: object.remove(obligation, ["id"]) |
	some obligation in obligations.obligation with input as call with data.registry.obligations as owed
}

restricted(call) := object.union(call, {"operation": {"data_class": "restricted", "risk": 0}})

approval_of(call) := object.filter(owes(call).R060.properties, ["count", "groups"])

test_r060_fires_for_a_note_to_people_where_the_registry_asks_by_name if {
	approval_of(fixtures.comment) == {"count": 1, "groups": {"ticket-owners"}}
}

test_r060_fires_for_a_read_where_the_registry_asks_by_class if {
	approval_of(restricted(fixtures.read)) == {"count": 2, "groups": {"change-approvers"}}
}

test_r060_asks_for_the_most_people_of_the_nearest_who_are_named if {
	approval_of(restricted(fixtures.change)) == {"count": 3, "groups": {"custodians"}}
	approval_of(restricted(fixtures.comment)) == {"count": 3, "groups": {"ticket-owners"}}
}

test_r061_fires if owes(fixtures.read).R061.properties == {"pointers": {"/body"}}

test_r061_fires_for_everything_that_asks_for_it if {
	owes(restricted(fixtures.read)).R061 == {"type": "redact", "properties": {"pointers": {"/body", "/secret"}}}
}

test_r061_quiet if not owes(fixtures.change).R061

test_r062_fires if {
	owes(fixtures.comment).R062.properties == {
		"groups": {"reviewers"},
		"ttl_seconds": 600,
		"excluded": {"devsecops@zyx.example"},
	}
}

test_r062_fires_with_the_shortest_time if {
	owes(restricted(fixtures.comment)).R062 == {
		"type": "post_review",
		"properties": {
			"groups": {"reviewers", "custodians"},
			"ttl_seconds": 60,
			"excluded": {"devsecops@zyx.example"},
		},
	}
}

test_r062_quiet if not owes(fixtures.read).R062

test_r063_fires if owes(fixtures.comment).R063 == {"type": "notify", "properties": {"groups": {"watchers"}}}

test_r063_fires_from_a_risk_on if {
	risky_read := object.union(fixtures.read, {"operation": {"risk": 6}})
	owes(risky_read).R063.properties.groups == {"duty"}
}

test_r063_quiet_below_that_risk if not owes(object.union(fixtures.read, {"operation": {"risk": 5}})).R063

test_r063_quiet if not owes(fixtures.change).R063
