# METADATA
# title: Mounts
# description: Which mounts show something of the host.
# schemas:
#   - input: schema.input
package ocjail.lib.mounts

import data.ocjail.lib.paths

# Accesses through which the jail cannot write to the host. All else counts as
# writable, a word of a later version included.
harmless := {"none", "ro", "scratch", "proc"}

# Indices of the mounts that show a host path: a source, not hidden by a later
# mount, and there (or nobody could tell).
shown contains i if {
	some i, m in input.jail.mounts
	source(m) != ""
	m.shadowed_by == null
	m.access != "none"
	present(m)
}

present(m) if m.exists

present(m) if not m.certain

writable contains i if {
	some i in shown
	not input.jail.mounts[i].access in harmless
}

# The host path that a mount shows: resolved when it could be, else as written.
source(m) := m.source_real if m.source_real != ""

source(m) := m.source if m.source_real == ""

# The mounts that show parts of a directory of which only parts are reachable,
# such as ~/.ssh/id_rsa of ~/.ssh. Only these few directories are compared with
# all mounts.
parts(w) := {i |
	w.how == "below"
	some i in shown
	paths.strictly_under(source(input.jail.mounts[i]), w.path)
}

# The mounts that show a host path, whole: at their source or below it, where no
# later mount hides it. The host's root is fs/root-exposed's to report.
showing(place) := {i |
	parts := split(place, "/")
	some n in [2, 3, 4, 5]
	some i in by_source[concat("/", array.slice(parts, 0, n))]
	not masked(i, inside(i, place))
}

# Few of a jail's mounts show a given path, and asking each whether it does takes long.
by_source[path] contains i if {
	some i in shown
	path := source(input.jail.mounts[i])
}

# Where a mount shows a host path that lies at its source or below it.
inside(i, place) := concat("", [m.dest, trim_prefix(place, source(m))]) if m := input.jail.mounts[i]

masked(i, path) if {
	some j, m in input.jail.mounts
	j > i
	m.access != "none"
	paths.under(path, m.dest)
}
