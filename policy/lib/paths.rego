# METADATA
# title: Paths
# description: Comparison of paths that are absolute and clean, as the input's are.
package ocjail.lib.paths

# A path is under itself, and "/home/u2" is not under "/home/u". An empty path
# stands for an unknown fact: it is under nothing, and nothing is under it.
under(path, dir) if {
	dir != ""
	path == dir
}

under(path, dir) if strictly_under(path, dir)

strictly_under(path, dir) if {
	dir != ""
	path != dir
	startswith(path, concat("", [trim_suffix(dir, "/"), "/"]))
}
