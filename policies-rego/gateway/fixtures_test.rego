# Calls that the tests of every pack start from. Each is allowed as it stands.
package gateway.fixtures_test

# A read by the change review.
read := {
	"v": 1,
	"agent": {"id": "change-review-agent", "issuer": "https://id.zyx.example", "binding": "dpop", "key": "k"},
	"principal": {
		"id": "dana@zyx.example",
		"groups": ["devsecops-change-review"],
		"device_compliant": true,
		"act": ["change-review-agent"],
	},
	"tenant": "zyx-bank",
	"scopes": [],
	"authorization_details": [],
	"operation": {
		"id": "github.pulls/get",
		"connector": "github",
		"access": "read",
		"risk": 0,
		"data_class": "internal",
		"reversible": true,
		"environment": "unknown",
		"phase": "",
	},
	"params": {"path": {}, "query": {}, "body": {}, "truncated": false, "digest": ""},
	"resource": {
		"project": "",
		"repository": "zyx/platform-infra",
		"channel": "",
		"account": "",
		"amount": {"value": 0, "currency": ""},
	},
	"declared": {"task": "", "rationale": "", "ticket": "", "rollback_plan": ""},
	"signals": {"secrets": [], "pii": [], "injection": [], "first_use": false},
	"history": {
		"calls_1m": 0,
		"denials_10m": 0,
		"errors_1h": 0,
		"writes_task": 0,
		"spend_day": 0,
		"spend_task": 0,
		"operations_task": [],
		"operations_1h": [],
		"data_classes_task": [],
		"data_classes_1h": [],
	},
	"approval": {"state": "none", "id": "", "approvers": []},
	"time": {
		"ns": "1795255200000000000",
		"date": "2026-11-23",
		"weekday": "monday",
		"hour": 10,
		"business_hours": true,
	},
}

# A comment by the change review on its ticket: a write, but a note to people.
comment := object.union(read, {
	"operation": {"id": "jira.addComment", "connector": "jira", "access": "write", "risk": 2},
	"resource": {"repository": "", "project": "CHG"},
})

# A comment by the release agent on a pull request of a change-controlled repository.
change := object.union(read, {
	"agent": {"id": "release-agent"},
	"principal": {"groups": ["release-engineering"]},
	"operation": {"id": "github.issues/create-comment", "access": "write"},
	"declared": {"ticket": "CHG-18422", "rollback_plan": "Delete the comment."},
})
