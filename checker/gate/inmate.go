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
func (d *descriptors) file(j *checker.Jail, use sandbox.Descriptor) (*os.File, error) {
	switch use.FD {
	case checker.DescriptionFD:
		text, err := d.about(j).JSON()
		if err != nil {
			return nil, fmt.Errorf("describe the jail: %w", err)
		}
		return sealed("jail.json", text)
	case checker.InstructionsFD:
		return sealed("AGENTS.md", []byte(d.about(j).Instructions()))
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
