package policy

// Watch is one of the host's paths that matter, of data/watched.json. Package host says
// how Path is written.
type Watch struct {
	Path    string
	Class   string
	Reason  string // why it matters, one clause
	Protect bool   // the gate makes it read-only where it can
}
