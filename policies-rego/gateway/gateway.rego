# METADATA
# title: Toolgate policy
# description: Every package below reads the same input and the same registry, and is checked against their schemas.
# scope: subpackages
# schemas:
#   - input: schema.input
#   - data.registry: schema.data
package gateway
