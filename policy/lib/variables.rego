# METADATA
# title: Variables
# description: What names of environment variables tell of their values.
package ocjail.lib.variables

# The name of a credential, in upper case.
secret(name) if name in data.ocjail.environment.secret_names

secret(name) if {
	some suffix in data.ocjail.environment.secret_suffixes
	endswith(name, suffix)
}
