package gate

import (
	"fmt"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// prepare turns the jail into what bwrap gets: sources pinned, environment taken
// out, filter added, descriptors numbered from 3.
func (a *attempt) prepare() (*pending, error) {
	j := a.jail
	if err := a.Bwrap.Readable(); err != nil {
		return nil, fmt.Errorf("%w; nothing was started", err)
	}
	layers, err := watchLayers(j)
	if err != nil {
		return nil, err
	}
	s := j.Sandbox.Clone()
	if err := pinSources(s, j, a.fds); err != nil {
		return nil, err
	}
	env := splitEnvironment(s, a.Environ)
	files := []*os.File{a.std.files[0], a.std.files[1], a.std.files[2]}
	for _, d := range s.Descriptors() {
		f, err := a.fds.file(j, d)
		if err != nil {
			return nil, err
		}
		s.SetDescriptor(d.Option, len(files))
		files = append(files, f)
	}
	if j.CanFilter {
		code, err := jailFilter(j.Filter)
		if err != nil {
			return nil, err
		}
		f, err := sealed("seccomp", code)
		if err != nil {
			return nil, err
		}
		s.Options = append(s.Options, sandbox.Option{Name: "--add-seccomp-fd", Args: []string{fmt.Sprint(len(files))}})
		files = append(files, f)
	}
	if j.Bus != nil && j.Bus.Command {
		var err error
		if files, err = a.fds.proxyPipes(s.Command, files); err != nil {
			return nil, err
		}
	}
	p := &pending{bwrap: a.Bwrap.Path, env: env, files: files, layers: layers, jail: &jailStart{handle: -1}}
	if !isScript(p.bwrap) {
		if p.hold, err = newHold(); err != nil {
			return nil, err
		}
	}
	if err := p.pend(s); err != nil {
		return nil, err
	}
	return p, nil
}
