package place

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

const devenv = `{ pkgs, ... }: {
  programs.opencode = {
    enable = true;
    policy.mode = "observe";
    jailCombinators = with pkgs.jail.combinators; [
      time-zone
      (rw-bind "/srv" "/srv")
    ];
  };
}
`

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "devenv.nix"), []byte(devenv), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken", "devenv.nix"), []byte(`{ a = "`), 0o644); err != nil {
		t.Fatal(err)
	}
	zero, one, nine := 0, 1, 9
	nix := filepath.Join(dir, "devenv.nix")
	manifest := Jail{Project: dir, File: "/nix/store/x-manifest.json"}
	list := "programs.opencode.jailCombinators"
	var f Finder
	for name, tc := range map[string]struct {
		origin *finding.Origin
		jail   Jail
		want   Place
		line   int // of the origin
	}{
		"combinator":               {&finding.Origin{Option: list + "[8]", File: "devenv.nix", Entry: &one, Combinator: "rw-bind"}, manifest, Place{File: nix, Line: 7}, 7},
		"plain combinator":         {&finding.Origin{Option: list + "[7]", File: "devenv.nix", Entry: &zero, Combinator: "time-zone"}, manifest, Place{File: nix, Line: 6}, 6},
		"changed since":            {&finding.Origin{Option: list + "[8]", File: "devenv.nix", Entry: &zero, Combinator: "rw-bind"}, manifest, Place{File: nix, Line: 6}, 0},
		"beyond the list":          {&finding.Origin{Option: list + "[8]", File: "devenv.nix", Entry: &nine, Combinator: "rw-bind"}, manifest, Place{File: nix, Line: 5}, 0},
		"an option without a list": {&finding.Origin{Option: "programs.opencode.policy.mode"}, manifest, Place{File: nix, Line: 4}, 0},
		"a default of the module":  {&finding.Origin{Option: "programs.opencode.baseJailCombinators[1]", File: "ocjail's module.nix", Entry: &one}, manifest, Place{File: nix, Line: 2}, 0},
		"text of an option":        {&finding.Origin{File: "programs.opencode.policy.config", Line: 1}, manifest, Place{File: nix, Line: 2}, 1},
		"jail.nix":                 {&finding.Origin{Option: "jail.nix", Combinator: "base"}, manifest, Place{File: nix, Line: 3}, 0},
		"nobody":                   {nil, manifest, Place{File: nix, Line: 3}, 0},
		"a file that is not there": {&finding.Origin{Option: list + "[0]", File: "other.nix", Entry: &zero}, manifest, Place{File: nix, Line: 3}, 0},
		"another project's":        {&finding.Origin{Option: list + "[8]", File: "devenv.nix", Entry: &zero, Combinator: "rw-bind"}, Jail{Project: dir, File: "/repo/m.json", Elsewhere: true}, Place{File: "/repo/m.json", Line: 1}, 0},
		"this one's, built away":   {&finding.Origin{Option: list + "[8]", File: "devenv.nix", Entry: &one, Combinator: "rw-bind"}, Jail{Project: dir, File: "/repo/m.json", Elsewhere: true}, Place{File: nix, Line: 7}, 7},
		"nobody, of another":       {nil, Jail{Project: dir, File: "/repo/m.json", Elsewhere: true}, Place{File: "/repo/m.json", Line: 1}, 0},
		"devenv.nix is broken":     {&finding.Origin{Option: list + "[0]", File: "devenv.nix", Entry: &zero}, Jail{Project: filepath.Join(dir, "broken"), File: "/m.json"}, Place{File: "/m.json", Line: 1}, 0},
		"profile":                  {&finding.Origin{File: "jail.hcl", Line: 12}, Jail{Project: dir, File: "/repo/jails/jail.hcl", Profile: true}, Place{File: "/repo/jails/jail.hcl", Line: 12}, 12},
		"profile as a whole":       {nil, Jail{Project: dir, File: "/repo/jails/jail.hcl", Profile: true}, Place{File: "/repo/jails/jail.hcl", Line: 1}, 0},
		"configuration":            {&finding.Origin{File: "/repo/ocjail.hcl", Line: 3}, manifest, Place{File: "/repo/ocjail.hcl", Line: 3}, 3},
		"--add":                    {&finding.Origin{Option: "--add[0]"}, Jail{Project: "/nowhere"}, Place{File: "/nowhere/ocjail.hcl", Line: 1, Absent: true}, 0},
		"saved argv":               {nil, Jail{Project: "/nowhere", File: "/argv.json"}, Place{File: "/argv.json", Line: 1}, 0},
	} {
		origin, got := f.Locate(tc.origin, tc.jail)
		if got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
		if origin != nil && origin.Line != tc.line {
			t.Errorf("%s: the origin has line %d, want %d", name, origin.Line, tc.line)
		}
	}
}
