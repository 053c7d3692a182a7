package gateway.decision_test

import data.gateway.decision
import data.gateway.fixtures_test as fixtures

decide(input_document) := document if document := decision.decision with input as input_document

test_a_granted_read_is_allowed if {
	decide(fixtures.read) == {
		"allow": true,
		"risk": 3,
		"reasons": set(),
		"reported": set(),
		"obligations": set(),
	}
}

test_a_note_to_people_is_allowed_without_approval if {
	document := decide(fixtures.comment)
	document.allow
	count(document.obligations) == 0
}

test_a_change_is_allowed_and_owes_an_approval if {
	document := decide(fixtures.change)
	document.allow
	count(document.obligations) == 1
}

test_every_pack_is_heard if {
	every pack in [
		["device.not_compliant", {"principal": {"device_compliant": false}}],
		["operation.not_granted", {"operation": {"id": "github.repos/delete"}}],
		["repository.not_allowed", {"resource": {"repository": "zyx/other"}}],
		["environment.not_allowed", {"operation": {"environment": "moon"}}],
		["hours.closed", {"time": {"business_hours": false}}],
		["secret.in_write", {"signals": {"secrets": ["github_token"]}}],
		["data_class.not_allowed", {"operation": {"data_class": "restricted"}}],
		["amount.no_limit", {"resource": {"amount": {"value": 1, "currency": "XAU"}}}],
		["task.required", {"agent": {"id": "secret-response-agent"}}],
	] {
		[code, facts] := pack
		some reason in decide(object.union(fixtures.change, facts)).reasons
		reason.code == code
	}
}

test_one_deny_outweighs_every_grant if {
	document := decide(object.union(fixtures.change, {"principal": {"device_compliant": false}}))
	not document.allow
	{reason.code | some reason in document.reasons} == {"device.not_compliant"}
	count(document.obligations) == 0
}

test_without_a_grant_nothing_is_allowed if {
	not decision.allow with input as fixtures.read with data.gateway.grants.grant as set() with decision.reasons as set()
}

at_night := object.union(fixtures.change, {"time": {"business_hours": false}})

codes(reasons) := {reason.code | some reason in reasons}

test_a_rule_in_report_mode_is_told_and_denies_nothing if {
	document := decide(at_night) with data.registry.rules as {"R043": {"mode": "report"}}
	document.allow
	count(document.reasons) == 0
	codes(document.reported) == {"hours.closed"}
	count(document.obligations) == 1
}

test_a_rule_in_report_mode_saves_nothing_from_the_others if {
	refused := object.union(at_night, {"principal": {"device_compliant": false}})
	document := decide(refused) with data.registry.rules as {"R043": {"mode": "report"}}
	not document.allow
	codes(document.reasons) == {"device.not_compliant"}
	codes(document.reported) == {"hours.closed"}
}

test_any_other_mode_is_enforced if {
	every rules in [
		{"R043": {"mode": "enforce"}},
		{"R043": {"mode": "REPORT"}},
		{"R043": {"mode": "off"}},
		{"R043": {"mode": true}},
		{"R043": {}},
		{"R043": "report"},
		{"R042": {"mode": "report"}},
		{},
	] {
		document := decide(at_night) with data.registry.rules as rules
		not document.allow
		codes(document.reasons) == {"hours.closed"}
		count(document.reported) == 0
	}
}

# Every rule there is, R000 to R099, were somebody to put all of them into report mode.
all_reported[id] := {"mode": "report"} if {
	some number in numbers.range(1000, 1099)
	id := $"R{substring($"{number}", 1, 3)}"
}

test_what_holds_the_boundary_denies_in_any_mode if {
	every case in [
		["input.unsupported", {"v": 2}],
		["agent.unknown", {"agent": {"id": "stranger"}}],
		["tenant.mismatch", {"tenant": "other-bank"}],
		["operation.not_granted", {"operation": {"id": "github.repos/delete", "access": "write"}}],
	] {
		[code, facts] := case
		document := decide(object.union(fixtures.read, facts)) with data.registry.rules as all_reported
		not document.allow
		codes(document.reasons) == {code}
		not code in codes(document.reported)
	}
}

test_an_agent_of_another_issuer_is_denied_in_any_mode if {
	agents := object.union(data.registry.agents, {"change-review-agent": {"issuer": "https://id.other.example"}})
	document := decide(fixtures.read) with data.registry.agents as agents with data.registry.rules as all_reported
	not document.allow
	codes(document.reasons) == {"agent.unknown"}
}

test_without_a_grant_nothing_is_allowed_in_any_mode if {
	document := decision.decision with input as fixtures.read
		with data.gateway.grants.grant as set()
		with data.registry.rules as all_reported
	not document.allow
}

test_an_empty_input_is_denied if {
	document := decide({})
	document.allow == false
	document.risk == 10
	count(document.obligations) == 0
}

test_without_a_registry_everything_is_denied if {
	document := decision.decision with input as fixtures.read with data.registry as {}
	document.allow == false
}
