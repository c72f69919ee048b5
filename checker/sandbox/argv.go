package sandbox

import "slices"

// Words returns the options in order, as bwrap reads them, without OriginOption
// and without the command.
func (s *Sandbox) Words() []string {
	words := make([]string, 0, 3*len(s.Options))
	for _, o := range s.Options {
		words = append(words, o.Name)
		words = append(words, o.Args...)
	}
	return words
}

// Argv writes the sandbox back as arguments for bwrap, without argv[0].
func (s *Sandbox) Argv() []string {
	return append(append(s.Words(), "--"), s.Command...)
}

// AnnotatedArgv is Argv with an OriginOption wherever the origin changes:
// parsing it gives s again, apart from what Added says.
func (s *Sandbox) AnnotatedArgv() []string {
	var words []string
	origin := ""
	for _, o := range s.Options {
		if o.Origin != origin {
			words = append(words, OriginOption, o.Origin)
			origin = o.Origin
		}
		words = append(append(words, o.Name), o.Args...)
	}
	return append(append(words, "--"), s.Command...)
}

// Insert puts options before position i.
func (s *Sandbox) Insert(i int, options ...Option) {
	s.Options = slices.Insert(s.Options, i, options...)
}
