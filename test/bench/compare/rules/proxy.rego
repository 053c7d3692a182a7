# METADATA
# description: Asked over REST by a proxy that verified the token itself.
package bench.proxy

import data.bench

default allow := false

allow if bench.allows(input.method, input.path, input.claims)
