package gateway.history_test

import data.gateway.fixtures_test as fixtures
import data.gateway.history

# Never to Slack after reading HR, nor after anything restricted.
sequences := {"HR stays here": {
	"after": {"operations": {"hr.getEmployee": true}, "data_classes": {"restricted": true}},
	"never": {"operations": {"github.gists/create": true}, "changes": {"slack": true}},
}}

limits := {
	"tenants": {"zyx-bank": {"denials_10m": 20}},
	"roles": {"change-reviewer": {"writes_task": 3, "errors_1h": 10}},
	"agents": {"release-agent": {"writes_task": 2}},
}

rules(call) := {deny.rule |
	some deny in history.deny with input as call
		with data.registry.sequences as sequences
		with data.registry.history as limits
		with data.registry.money as {"tenants": {"zyx-bank": {"EUR": {"per_task": 5}}}}
}

having(call, facts) := object.union(call, {"history": facts})

in_task(call) := object.union(call, {"declared": {"task": "t"}})

post := in_task(object.union(fixtures.comment, {"operation": {"id": "slack.chat.postMessage", "connector": "slack"}}))

test_r080_fires_in_the_same_task if rules(having(post, {"operations_task": ["hr.getEmployee"]})) == {"R080"}

test_r080_fires_in_another_task if rules(having(post, {"operations_1h": ["hr.getEmployee"]})) == {"R080"}

test_r080_fires_without_a_task if {
	"R080" in rules(object.union(having(post, {"operations_1h": ["hr.getEmployee"]}), {"declared": {"task": ""}}))
}

test_r080_fires_after_a_class_of_data if {
	rules(having(post, {"data_classes_task": ["internal", "restricted"]})) == {"R080"}
	rules(having(post, {"data_classes_1h": ["internal", "restricted"]})) == {"R080"}
}

test_r080_fires_on_an_operation_by_name if {
	gist := object.union(fixtures.read, {"operation": {"id": "github.gists/create"}})
	rules(having(gist, {"operations_1h": ["hr.getEmployee"]})) == {"R080"}
}

test_r080_fires_where_nobody_knows_what_was_done if {
	every name in ["operations_task", "operations_1h", "data_classes_task", "data_classes_1h"] {
		call := object.union(object.remove(post, ["history"]), {"history": object.remove(post.history, [name])})
		rules(call) == {"R080"}
	}
}

test_r080_fires_where_more_was_done_than_is_remembered if {
	rules(having(post, {"operations_1h": ["jira.getIssue", "*"]})) == {"R080"}
}

test_r080_quiet if {
	harmless := {"operations_1h": ["jira.getIssue"], "data_classes_1h": ["internal"]}
	count(rules(having(post, harmless))) == 0
}

test_r080_quiet_for_what_the_sequence_does_not_close if {
	count(rules(having(in_task(fixtures.comment), {"operations_1h": ["hr.getEmployee"]}))) == 0
}

test_r080_quiet_for_a_read if {
	search := object.union(having(post, {"operations_1h": ["hr.getEmployee"]}), {"operation": {"access": "read"}})
	count(rules(search)) == 0
}

test_r081_fires if rules(having(post, {"writes_task": 3})) == {"R081"}

test_r081_fires_at_the_lowest_of_the_limits if rules(having(in_task(fixtures.change), {"writes_task": 2})) == {"R081"}

test_r081_fires_where_nobody_counted if {
	uncounted := object.union(object.remove(post, ["history"]), {"history": object.remove(post.history, ["writes_task"])})
	rules(uncounted) == {"R081"}
}

test_r081_quiet if count(rules(having(post, {"writes_task": 2}))) == 0

test_r081_quiet_for_a_read if count(rules(having(in_task(fixtures.read), {"writes_task": 9}))) == 0

test_r082_fires if rules(fixtures.comment) == {"R082"}

test_r082_fires_without_declared_facts if rules(object.remove(fixtures.comment, ["declared"])) == {"R082"}

test_r082_fires_where_money_is_limited_by_task if {
	moving := object.union(fixtures.comment, {"resource": {"amount": {"value": 1, "currency": "EUR"}}})
	reasons := {deny.rule | some deny in history.deny} with input as moving
		with data.registry.history as {}
		with data.registry.money as {"tenants": {"zyx-bank": {"EUR": {"per_task": 5}}}}
	reasons == {"R082"}
}

test_r082_quiet if count(rules(post)) == 0

test_r082_quiet_for_a_read if count(rules(fixtures.read)) == 0

test_r082_quiet_where_nothing_is_limited_by_task if {
	count(history.deny) == 0 with input as fixtures.comment with data.registry.history as {}
}

test_r083_fires if rules(having(fixtures.read, {"denials_10m": 20})) == {"R083"}

test_r083_fires_where_nobody_counted if {
	uncounted := object.union(object.remove(fixtures.read, ["history"]), {"history": {}})
	rules(uncounted) == {"R083"}
}

test_r083_quiet if count(rules(having(fixtures.read, {"denials_10m": 19}))) == 0

test_r084_fires if rules(having(post, {"errors_1h": 10})) == {"R084"}

test_r084_fires_where_the_limit_is_no_number if {
	broken := {"agents": {"change-review-agent": {"errors_1h": "10"}}}
	{deny.rule | some deny in history.deny} == {"R084"} with input as post with data.registry.history as broken
}

test_r084_quiet if count(rules(having(post, {"errors_1h": 9}))) == 0

test_r084_quiet_for_a_read if count(rules(having(fixtures.read, {"errors_1h": 99}))) == 0
