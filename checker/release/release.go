// Package release says which build of ocjail this is.
package release

// Version is set by the build (-ldflags -X).
var Version = "devel"
