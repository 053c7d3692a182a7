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
	tools := {"weather": {"groups": {}, "names": "nothing", "operations": {}}}
	call := object.union(named({"repository": ""}), {"operation": {"connector": "weather"}})
	not "R030" in rules(call) with data.registry.tools as tools
}

test_r030_quiet_for_an_operation_that_names_nothing if {
	slack := {"id": "slack.auth.test", "connector": "slack"}
	not "R030" in rules(object.union(named({"repository": ""}), {"operation": slack}))
}

test_r031_fires if rules(named({"repository": "zyx/other"})) == {"R031"}

test_r031_fires_on_another_case if rules(named({"repository": "ZYX/Platform-Infra"})) == {"R031"}

test_r031_fires_for_another_tenant if rules(object.union(fixtures.read, {"tenant": "other-bank"})) == {"R031"}

test_r031_quiet if count(rules(fixtures.read)) == 0

test_r032_fires if rules(object.union(fixtures.comment, {"resource": {"project": "HR"}})) == {"R032"}

test_r032_fires_on_an_issue_named_by_number if {
	rules(object.union(fixtures.comment, {"resource": {"project": "issue:10002"}})) == {"R032"}
}

test_r032_fires_where_any_project_may_be_meant if {
	rules(object.union(fixtures.comment, {"resource": {"project": "*"}})) == {"R032"}
}

test_r032_fires_on_a_project_of_another_connector if {
	rules(object.union(fixtures.comment, {"resource": {"project": "SEC"}})) == {"R032"}
}

test_r032_quiet if count(rules(fixtures.comment)) == 0

test_r033_fires if rules(posted("C0GENERAL")) == {"R033"}

test_r033_fires_on_a_name if rules(posted("#general")) == {"R033"}

test_r033_quiet if count(rules(posted("C0CHANGEREV"))) == 0

test_r033_quiet_for_a_name if count(rules(posted("devsecops-change-review"))) == 0

test_r033_quiet_for_a_name_with_its_sign if count(rules(posted("#devsecops-change-review"))) == 0

test_r034_fires if rules(named({"account": "somebody"})) == {"R034"}

test_r034_quiet if count(rules(named({"account": "zyx"}))) == 0
