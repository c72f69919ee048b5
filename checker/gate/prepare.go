package gate

import (
	"fmt"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// prepare turns the jail into what bwrap gets: sources pinned, environment taken
// out, filter added, descriptors numbered from 3.
func (r Request) prepare(j *checker.Jail, fds *descriptors, std *stdio) (spec, error) {
	if err := r.Bwrap.Readable(); err != nil {
		return spec{}, fmt.Errorf("%w; nothing was started", err)
	}
	layers, err := watchLayers(j)
	if err != nil {
		return spec{}, err
	}
	s := j.Sandbox.Clone()
	if err := pinSources(s, j, fds); err != nil {
		return spec{}, err
	}
	env := splitEnvironment(s, r.Environ)
	files := []*os.File{std.files[0], std.files[1], std.files[2]}
	for _, d := range s.Descriptors() {
		f, err := fds.file(j, d)
		if err != nil {
			return spec{}, err
		}
		s.SetDescriptor(d.Option, len(files))
		files = append(files, f)
	}
	if j.CanFilter {
		code, err := jailFilter(j.Filter)
		if err != nil {
			return spec{}, err
		}
		f, err := sealed("seccomp", code)
		if err != nil {
			return spec{}, err
		}
		s.Options = append(s.Options, sandbox.Option{Name: "--add-seccomp-fd", Args: []string{fmt.Sprint(len(files))}})
		files = append(files, f)
	}
	if j.Bus != nil && j.Bus.Command {
		var err error
		if files, err = proxyPipes(s.Command, files); err != nil {
			return spec{}, err
		}
	}
	return spec{bwrap: r.Bwrap.Path, traceable: !isScript(r.Bwrap.Path), layers: layers, sandbox: s, files: files, env: env}, nil
}
