package system.log

# METADATA
# title: Decisions that are not logged
# description: >-
#   None. A rule that is true for an event keeps it from the collector, not from the record of the gateway.
# entrypoint: true
default drop := false
