package sandbox_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// helpLine matches one option of bwrap --help: its operands are in capitals.
var helpLine = regexp.MustCompile(`(?m)^    (--[a-z0-9-]+)((?: [A-Z]+)*) `)

// TestOptionsOfHelp holds the table against what each bwrap says of itself.
func TestOptionsOfHelp(t *testing.T) {
	known := sandbox.OptionNames()
	for _, bwrap := range bwraps(t) {
		found := helpLine.FindAllStringSubmatch(help(t, bwrap), -1)
		if len(found) < 50 {
			t.Errorf("%s: only %d options found in its help", bwrap, len(found))
		}
		for _, m := range found {
			name, operands := m[1], len(strings.Fields(m[2]))
			if !slices.Contains(known, name) {
				t.Errorf("%s knows %s, the table does not", bwrap, name)
			} else if got := sandbox.OperandCount(name); got != operands {
				t.Errorf("%s: %s takes %d operands, the table says %d", bwrap, name, operands, got)
			}
		}
	}
}
