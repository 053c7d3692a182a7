package gateway.caller_test

import data.gateway.caller
import data.gateway.fixtures_test as fixtures

rules(input_document) := {deny.rule | some deny in caller.deny with input as input_document}

test_r000_fires if "R000" in rules(object.union(fixtures.read, {"v": 2}))

test_r000_fires_without_a_version if "R000" in rules(object.remove(fixtures.read, ["v"]))

test_r000_quiet if not "R000" in rules(fixtures.read)

test_r001_fires if "R001" in rules(object.union(fixtures.read, {"agent": {"id": "stranger"}}))

test_r001_quiet if not "R001" in rules(fixtures.read)

test_r002_fires if "R002" in rules(object.union(fixtures.read, {"tenant": "other-bank"}))

test_r002_fires_without_a_tenant if "R002" in rules(object.remove(fixtures.read, ["tenant"]))

test_r002_quiet if not "R002" in rules(fixtures.read)

issued_by(issuer) := object.union(
	data.registry.agents,
	{"change-review-agent": object.union(data.registry.agents["change-review-agent"], {"issuer": issuer})},
)

test_r004_fires if {
	"R004" in rules(fixtures.read) with data.registry.agents as issued_by("https://id.other.example")
}

test_r004_fires_without_an_issuer if {
	anonymous := object.union(object.remove(fixtures.read, ["agent"]), {"agent": {"id": "change-review-agent"}})
	"R004" in rules(anonymous) with data.registry.agents as issued_by("https://id.zyx.example")
}

test_r004_quiet if {
	not "R004" in rules(fixtures.read) with data.registry.agents as issued_by("https://id.zyx.example")
}

test_r004_quiet_where_no_issuer_is_named if not "R004" in rules(fixtures.read)

test_r003_fires if "R003" in rules(object.union(fixtures.read, {"principal": {"device_compliant": false}}))

test_r003_fires_on_what_only_looks_true if {
	"R003" in rules(object.union(fixtures.read, {"principal": {"device_compliant": "true"}}))
}

test_r003_fires_without_a_device if "R003" in rules(object.remove(fixtures.read, ["principal"]))

test_r003_quiet if not "R003" in rules(fixtures.read)

test_r010_fires if "R010" in rules(object.union(fixtures.read, {"principal": {"groups": ["marketing"]}}))

test_r010_fires_without_groups if "R010" in rules(object.union(fixtures.read, {"principal": {"groups": []}}))

test_r010_fires_on_a_tool_nobody_registered if {
	"R010" in rules(object.union(fixtures.read, {"operation": {"connector": "pagerduty"}}))
}

test_r010_fires_when_the_operation_has_its_own_groups if {
	"R010" in rules(object.union(fixtures.read, {"operation": {"id": "github.repos/create-release"}}))
}

test_r010_quiet if not "R010" in rules(fixtures.read)

test_r010_quiet_when_one_of_many_groups_is_allowed if {
	groups := ["marketing", "devsecops-change-review"]
	not "R010" in rules(object.union(fixtures.read, {"principal": {"groups": groups}}))
}

test_an_empty_input_is_refused_by_every_rule_about_callers if {
	rules({}) == {"R000", "R001", "R003", "R010"}
}
