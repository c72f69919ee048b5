package engine

import (
	"slices"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

func TestRemedy(t *testing.T) {
	rule := Rule{ID: "x/y", Severity: finding.Error, Remedy: "of the METADATA"}
	for _, tc := range []struct {
		remedy, text string
		options      []string
		fails        bool
	}{
		{`"bind it"`, "bind it", nil, false},
		{`""`, "of the METADATA", nil, false},
		{`{"text": "add", "options": ["--ro-bind", "/a b", "/a b"]}`, "add", []string{"--ro-bind", "/a b", "/a b"}, false},
		{`{"text": "add", "options": []}`, "", nil, true},
		{`{"options": ["--unshare-net"]}`, "", nil, true},
		{`{"text": "add", "options": ["--unshare-net"], "more": 1}`, "", nil, true},
		{`{"text": "add", "options": "--unshare-net"}`, "", nil, true},
		{`["add"]`, "", nil, true},
		{`7`, "", nil, true},
	} {
		f, err := rule.Finding([]byte(`{"message": "m", "subject": {"kind": "session"}, "remedy": ` + tc.remedy + `}`))
		if (err != nil) != tc.fails {
			t.Errorf("%s: %v", tc.remedy, err)
		}
		if !tc.fails && (f.Remedy != tc.text || !slices.Equal(f.Options, tc.options)) {
			t.Errorf("%s: %q %q", tc.remedy, f.Remedy, f.Options)
		}
	}
}
