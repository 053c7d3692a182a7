package system.log_test

import data.system.log

allowed := {
	"path": "gateway/decision/decision",
	"input": {
		"principal": {"id": "dana@zyx.example"},
		"params": {"path": {"owner": "zyx"}, "query": {}, "body": {"text": "hunter2"}, "digest": "00"},
		"resource": {"project": "", "repository": "zyx/platform-infra", "channel": "", "account": ""},
		"declared": {"task": "t", "rationale": "r", "ticket": "CHG-18422", "rollback_plan": "p"},
		"authorization_details": [{"type": "payment"}],
	},
	"result": {"allow": true},
}

contents := {"/input/params", "/input/declared", "/input/authorization_details"}

upsert(path) := {"op": "upsert", "path": path, "value": "***"}

test_takes_out_what_a_caller_writes if log.mask == contents with input as allowed

test_takes_out_names_that_were_asked_for_in_vain if {
	denied := object.union(allowed, {"result": {"allow": false}})
	masks := log.mask with input as denied
	masks == contents | {upsert("/input/resource/repository")}
}

test_takes_out_names_where_there_is_no_result if {
	masks := log.mask with input as object.remove(allowed, ["result"])
	upsert("/input/resource/repository") in masks
}

test_takes_out_an_account_always if {
	paid := object.union(allowed, {"input": {"resource": {"account": "12345678"}}})
	masks := log.mask with input as paid
	masks == contents | {upsert("/input/resource/account")}
}

test_takes_out_the_contents_of_an_event_without_input if {
	masks := log.mask with input as object.remove(allowed, ["input"])
	count(contents - masks) == 0
}

test_drops_nothing if {
	not log.drop with input as allowed
	not log.drop with input as {}
}
