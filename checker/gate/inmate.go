package gate

import (
	"fmt"
	"os"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/inmate"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// file returns what bwrap gets in a descriptor's place: what the caller named, or
// what ocjail tells the jail of itself.
func (d *descriptors) file(p *pending, j *checker.Jail, use sandbox.Descriptor) (*os.File, error) {
	switch use.FD {
	case checker.DescriptionFD:
		return p.later("jail.json", func() ([]byte, error) { return d.about(j).JSON() })
	case checker.InstructionsFD:
		return p.later("AGENTS.md", func() ([]byte, error) { return []byte(d.about(j).Instructions()), nil })
	}
	f, ok := d.pass[use.FD]
	if !ok {
		return nil, fmt.Errorf("%s %d was not looked at, which is a bug of ocjail's", use.Name, use.FD)
	}
	return f, nil
}

// about describes j, once for both files.
func (d *descriptors) about(j *checker.Jail) *inmate.Description {
	if d.describedJail != j {
		d.describedJail, d.description = j, inmate.Describe(j)
	}
	return d.description
}
