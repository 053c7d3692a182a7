# METADATA
# description: >-
#   The gateway's own rules, asked by the sidecars that it is compared with: each says in its own shape who calls what,
#   and all the rest of the input is what the gateway would have found.
package bench

default allows(_, _, _) := false

allows(method, path, claims) if {
	method == "GET"
	path[0] == "github"
	path[1] == "repos"
	path[4] == "pulls"
	decision := data.gateway.decision.decision with input as input_of(path, claims)
	decision.allow == true
}

input_of(path, claims) := {
	"v": 1,
	"agent": {"id": claims.client_id, "issuer": claims.iss, "binding": "none", "key": ""},
	"principal": {
		"id": claims.sub, "groups": claims.groups,
		"device_compliant": claims.device_compliant, "act": [],
	},
	"tenant": claims.tenant,
	"scopes": [],
	"authorization_details": [],
	"operation": {
		"id": "github.pulls/get", "connector": "github", "access": "read", "risk": 1,
		"data_class": "internal", "reversible": true, "environment": "staging",
	},
	"params": {
		"path": {"owner": path[2], "repo": path[3], "pull_number": path[5]},
		"query": {}, "body": {}, "truncated": false, "digest": "",
	},
	"resource": {
		"project": "", "repository": sprintf("%s/%s", [path[2], path[3]]), "channel": "", "account": path[2],
		"amount": {"value": "0", "currency": ""},
	},
	"declared": {"task": "CHG-18422", "rationale": "", "ticket": "CHG-18422", "rollback_plan": "Delete the comment"},
	"signals": {"secrets": [], "pii": [], "injection": [], "first_use": false},
	"history": {
		"calls_1m": 0, "denials_10m": 0, "errors_1h": 0, "writes_task": 0, "spend_day": "0", "spend_task": "0",
		"operations_task": [], "operations_1h": [], "data_classes_task": [], "data_classes_1h": [],
	},
	"approval": {"state": "none", "id": "", "approvers": []},
	"time": {"ns": "0", "date": "2026-11-25", "weekday": "wednesday", "hour": 10, "business_hours": true},
}
