# METADATA
# title: The folder above the project can be written
# description: >-
#   Programs look for what they run in the folders above the project too: cargo takes compilers and wrappers from each
#   .cargo/config.toml on the way to the root, Node loads packages from each node_modules. What the agent writes there,
#   the next build on the host runs, in every project beside this one (The Cargo Book, "Hierarchical structure").
# related_resources:
#   - ref: https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure
# schemas:
#   - input: schema.input
# custom:
#   severity: error
#   remedy: bind the project itself
#   avoid:
#     given: the project is ~/src/app
#     bwrap: --bind ~/src ~/src
#   prefer:
#     given: the project is ~/src/app
#     bwrap: --bind ~/src/app ~/src/app
package ocjail.rules.exec.parent_writable

import data.ocjail.lib.findings
import data.ocjail.lib.mounts
import data.ocjail.lib.paths

findings contains findings.new(
	sprintf("%s, which holds the project and what lies beside it, can be written in the jail, through %s", [mounts.source(m), findings.words(i)]),
	findings.mount(i),
	findings.add("bind the project itself in its place", ["--bind", input.host.project_root, input.host.project_root]),
) if {
	some i in mounts.writable
	m := input.jail.mounts[i]
	paths.strictly_under(input.host.project_root, mounts.source(m))
	not m.hardening

	# fs/home-exposed and fs/root-exposed report these.
	count({place | some place in m.covers; place != "project"}) == 0
}
