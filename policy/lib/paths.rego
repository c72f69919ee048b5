# METADATA
# title: Paths
# description: Comparison of paths that are absolute and clean, as the input's are.
package ocjail.lib.paths

# A path is under itself, and "/home/u2" is not under "/home/u". An empty path
# stands for an unknown fact: it is under nothing, and nothing is under it.
under(path, dir) if {
	path != ""
	startswith(concat("", [path, "/"]), prefix(dir))
}

strictly_under(path, dir) if {
	path != dir
	under(path, dir)
}

# What the paths under a directory begin with, a slash appended.
prefix(dir) := concat("", [trim_suffix(dir, "/"), "/"]) if dir != ""
