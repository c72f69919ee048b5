package gate

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// prepare opens all that bwrap is started with: descriptors numbered from 3, sources
// pinned, environment taken out, filter added. Of what bwrap then reads nothing is made
// yet.
func (a *attempt) prepare() (*pending, error) {
	if err := a.Bwrap.Readable(); err != nil {
		return nil, fmt.Errorf("%w; nothing was started", err)
	}
	p := &pending{made: a.jail.Sandbox, sources: pathSources(a.jail), bwrap: a.Bwrap.Path, jail: &jailStart{handle: -1}, numbers: map[int]int{}}
	if err := a.open(p); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (a *attempt) open(p *pending) (err error) {
	j := a.jail
	p.env, p.added = splitEnvironment(j.Sandbox, a.Environ)
	for _, f := range a.std.files {
		p.number(f)
	}
	for _, d := range j.Sandbox.Descriptors() {
		f, err := a.fds.file(p, j, d)
		if err != nil {
			return err
		}
		p.numbers[d.Option] = p.number(f)
	}
	if err := p.pin(j); err != nil {
		return err
	}
	if err := p.filter(j); err != nil {
		return err
	}
	command := slices.Clone(j.Sandbox.Command)
	if j.Bus != nil && j.Bus.Command {
		if p.files, err = a.fds.proxyPipes(command, p.files); err != nil {
			return err
		}
	}
	if !isScript(p.bwrap) {
		if p.hold, err = newHold(); err != nil {
			return err
		}
		p.ours = append(p.ours, p.hold)
	}
	return p.pend(j, command)
}

// pin opens the sources that are to be descriptors.
func (p *pending) pin(j *checker.Jail) error {
	p.pins = pinnable(j, p.sources)
	for i, pin := range p.pins {
		f, err := openJudged(j.FS, pin.source)
		if err != nil {
			return err
		}
		p.ours = append(p.ours, f)
		p.pins[i].number = p.number(f)
	}
	return nil
}

// filter adds ocjail's own seccomp filter, where one can be made.
func (p *pending) filter(j *checker.Jail) error {
	if !j.CanFilter {
		return nil
	}
	code, err := jailFilter(j.Filter)
	if err != nil {
		return err
	}
	f, err := sealed("seccomp", code)
	if err != nil {
		return err
	}
	p.ours = append(p.ours, f)
	p.add("--add-seccomp-fd", p.number(f))
	return nil
}

// pend makes what ocjail and bwrap talk through, and the argv.
//
// bwrap's --block-fd takes end-of-file for permission. What it reads from is
// therefore a pipe that never ends: if we are killed, the command can not start.
func (p *pending) pend(j *checker.Jail, command []string) error {
	args, err := p.later("bwrap options", func() ([]byte, error) { return p.options(j) })
	if err != nil {
		return err
	}
	if p.jail.block, err = endless(); err != nil {
		return err
	}
	said, says, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("pipe: %w", err), p.jail.block.Close())
	}
	p.jail.said, p.ours = said, append(p.ours, says)
	p.jail.blockFD = p.number(p.jail.block)
	p.add("--info-fd", p.number(says))
	p.add("--block-fd", p.jail.blockFD)
	p.argv = []string{"bwrap"}
	if p.hold != nil { // the first, for bwrap is to read no option before
		p.argv = append(p.argv, "--args", strconv.Itoa(p.number(p.hold)))
	}
	p.argv = append(p.argv, "--args", strconv.Itoa(p.number(args)), "--")
	p.argv = append(p.argv, command...)
	return nil
}

// number adds f for the child and returns its number there.
func (p *pending) number(f *os.File) int {
	p.files = append(p.files, f)
	return len(p.files) - 1
}

// add adds an option of ocjail's own.
func (p *pending) add(name string, number int) {
	p.added = append(p.added, sandbox.Option{Name: name, Args: []string{strconv.Itoa(number)}})
}

// options is the file of bwrap's options.
func (p *pending) options(j *checker.Jail) ([]byte, error) {
	s := j.Sandbox.Clone()
	for option, n := range p.numbers {
		s.SetDescriptor(option, n)
	}
	if err := resolveSources(s, j, p.pins); err != nil {
		return nil, err
	}
	s.Options = append(slices.DeleteFunc(s.Options, setsEnvironment), p.added...)
	words := s.Words()
	if n := len(words) + len(p.argv) - 1; n > sandbox.MaxArgs {
		return nil, fmt.Errorf("%d arguments, ocjail's own included, are more than bwrap's limit of %d", n, sandbox.MaxArgs)
	}
	return []byte(strings.Join(words, "\x00") + "\x00"), nil
}

// unfilled is a file for the child that has no content yet.
type unfilled struct {
	file    *os.File
	content func() ([]byte, error)
}

// later returns a file for the child that complete gives its content.
func (p *pending) later(name string, content func() ([]byte, error)) (*os.File, error) {
	f, err := unsealed(name)
	if err != nil {
		return nil, err
	}
	p.ours, p.unfilled = append(p.ours, f), append(p.unfilled, unfilled{f, content})
	return f, nil
}

// fits tells whether p is what would be made for j, now that its tree is known.
func (p *pending) fits(j *checker.Jail) bool {
	return p.made == j.Sandbox && maps.Equal(p.sources, pathSources(j)) && (j.Bus == nil || !j.Bus.Command)
}

// complete makes what bwrap is to read, once.
func (p *pending) complete(j *checker.Jail) (err error) {
	if p.unfilled == nil {
		return nil
	}
	if p.layers, err = watchLayers(j); err != nil {
		return err
	}
	for _, u := range p.unfilled {
		content, err := u.content()
		if err == nil {
			err = seal(u.file, content)
		}
		if err != nil {
			return err
		}
	}
	p.unfilled = nil
	return nil
}
