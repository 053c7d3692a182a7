package gateway.decision_test

import data.gateway.decision
import data.gateway.fixtures_test as fixtures

decide(input_document) := document if document := decision.decision with input as input_document

test_a_granted_read_is_allowed if {
	decide(fixtures.read) == {"allow": true, "risk": 3, "reasons": set(), "obligations": set()}
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
