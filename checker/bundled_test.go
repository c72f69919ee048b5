package checker

import (
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/config"
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
)

// A plan judges in this process, so it must be for this pack and from somebody
// trusted; else the sources are judged by.
func TestPlansThatAreUsed(t *testing.T) {
	own := worker.Identity().Pack
	for _, c := range []struct {
		pack      string
		plan      []byte
		untrusted bool
		want      bool
	}{
		{own, []byte("plan"), false, true}, {own, []byte("plan"), true, false}, {"of another", []byte("plan"), false, false}, {own, nil, false, false}, {"", nil, false, false},
	} {
		b := &bundle.Bundle{Manifest: bundle.Manifest{Pack: c.pack}, Plan: c.plan, Files: map[string][]byte{"a.rego": nil}}
		s := bundled(config.Policy{Opened: b}, engine.Source{Untrusted: c.untrusted})
		if got := s.Plan != nil; got != c.want || len(s.Texts) != 1 {
			t.Errorf("%+v: used %v", c, got)
		}
	}
}
