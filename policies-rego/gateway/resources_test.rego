package gateway.resources_test

import data.gateway.fixtures_test as fixtures
import data.gateway.resources

rules(input_document) := {deny.rule | some deny in resources.deny with input as input_document}

named(resource) := object.union(fixtures.read, {"resource": resource})

posted(channel) := object.union(fixtures.read, {
	"operation": {"id": "slack.chat.postMessage", "connector": "slack", "access": "write"},
	"resource": {"repository": "", "channel": channel},
})

test_r030_fires if "R030" in rules(named({"repository": ""}))

test_r030_fires_when_only_something_else_is_named if {
	"R030" in rules(named({"repository": "", "project": "CHG"}))
}

test_r030_fires_without_a_resource if "R030" in rules(object.remove(fixtures.read, ["resource"]))

test_r030_fires_on_a_tool_nobody_registered if {
	"R030" in rules(object.union(named({"repository": ""}), {"operation": {"connector": "pagerduty"}}))
}

test_r030_quiet if not "R030" in rules(fixtures.read)

test_r030_quiet_for_a_tool_that_names_nothing if {
	confluence := {"id": "confluence.getPages", "connector": "confluence"}
	not "R030" in rules(object.union(named({"repository": ""}), {"operation": confluence}))
}

test_r030_quiet_for_an_operation_that_names_nothing if {
	slack := {"id": "slack.auth.test", "connector": "slack"}
	not "R030" in rules(object.union(named({"repository": ""}), {"operation": slack}))
}

test_r031_fires if rules(named({"repository": "zyx/other"})) == {"R031"}

test_r031_fires_on_another_case if rules(named({"repository": "ZYX/Platform-Infra"})) == {"R031"}

test_r031_fires_for_another_tenant if rules(object.union(fixtures.read, {"tenant": "other-bank"})) == {"R031"}

test_r031_quiet if count(rules(fixtures.read)) == 0

test_r032_fires if "R032" in rules(object.union(fixtures.comment, {"resource": {"project": "HR-7"}}))

test_r032_fires_on_an_issue_named_by_number if {
	"R032" in rules(object.union(fixtures.comment, {"resource": {"project": "10002"}}))
}

test_r032_fires_on_a_project_of_another_connector if {
	"R032" in rules(object.union(fixtures.comment, {"resource": {"project": "SEC"}}))
}

test_r032_quiet if count(rules(fixtures.comment)) == 0

test_r032_quiet_for_a_project_by_its_key if {
	count(rules(object.union(fixtures.comment, {"resource": {"project": "CHG"}}))) == 0
}

test_r033_fires if rules(posted("C0GENERAL")) == {"R033"}

test_r033_fires_on_a_name if rules(posted("#general")) == {"R033"}

test_r033_quiet if count(rules(posted("C0CHANGEREV"))) == 0

test_r033_quiet_for_a_name if count(rules(posted("devsecops-change-review"))) == 0

test_r033_quiet_for_a_name_with_its_sign if count(rules(posted("#devsecops-change-review"))) == 0

test_r034_fires if rules(named({"account": "111122223333"})) == {"R034"}

test_r034_quiet if {
	open := {"environment": "staging", "change_controlled": false}
	tenants := {"zyx-bank": {"resources": {"github": {
		"account": {"111122223333": open},
		"repository": {"zyx/platform-infra": open},
	}}}}
	count(rules(named({"account": "111122223333"}))) == 0 with data.registry.tenants as tenants
}
