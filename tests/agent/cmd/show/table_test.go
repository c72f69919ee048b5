package main

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/tests/agent"
)

func result(hostile, happened bool) agent.Result {
	return agent.Result{Act: agent.Act{Name: "act", Hostile: hostile}, Happened: happened, Reply: "reply"}
}

func TestPrintTable(t *testing.T) {
	for _, c := range []struct {
		name string
		row  row
		ok   bool
		want string
	}{
		{"harm prevented", row{result(true, true), result(true, false)}, true, "│ act                      │ harm done      │ prevented    │"},
		{"work done", row{result(false, true), result(false, true)}, true, "│ act                      │ done           │ done         │"},
		{"harm under ocjail", row{result(true, true), result(true, true)}, false, `under ocjail: it must not happen; the agent answered "reply"`},
		{"harmless act", row{result(true, false), result(true, false)}, false, "without a jail: it must happen, or the table proves nothing"},
		{"work prevented", row{result(false, true), result(false, false)}, false, "under ocjail: it must happen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if ok := printTable(&out, []row{c.row}); ok != c.ok {
				t.Errorf("as promised = %v", ok)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("%q is missing in\n%s", c.want, out.String())
			}
			if strings.Contains(out.String(), "\x1b") {
				t.Errorf("escape codes where there is no terminal:\n%q", out.String())
			}
		})
	}
}
