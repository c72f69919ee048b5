package nixfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const example = `# programs.opencode.jailCombinators = [ (no "comment") ];
{ pkgs, lib, config, ... }:
let
  more = [ network ]; # not in the file's own list
  text = ''
    programs.opencode.env = [ "${"${toString 1}"}" ]; '''' ''${x}
  '';
in
{
  packages = [ pkgs.git pkgs.jq or null ];
  programs.opencode = {
    enable = true;
    /* jailCombinators = [ ]; */
    policy.mode = "enforce";
    jailCombinators = with pkgs.jail.combinators; [
      network
      (rw-bind "~/.cargo/registry" "~/.cargo/registry")
      (compose [
        (tmpfs "/t")
      ])
      pkgs.jail.combinators.no-new-session
      (readonly ./data/x.json)
    ] ++ [ (ro-bind "/a]" "/b") ] ++ lib.optionals config.x [
      (set-env "A" "b")
    ];
  };
  programs.opencode.env = lib.mkForce [ "A" "B" ];
  config = lib.mkIf true { services.x.list = ([ 1 2
    3 ]); };
  imports = lib.mkMerge [ { a.b = 1; } ];
}
`

func TestLine(t *testing.T) {
	f, err := Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		option     string
		entry      int
		combinator string
		line       int
		exact      bool
	}{
		{"programs.opencode.jailCombinators", 0, "network", 16, true},
		{"programs.opencode.jailCombinators", 1, "rw-bind", 17, true},
		{"programs.opencode.jailCombinators", 2, "compose", 18, true},
		{"programs.opencode.jailCombinators", 3, "no-new-session", 21, true},
		{"programs.opencode.jailCombinators", 4, "readonly", 22, true},
		{"programs.opencode.jailCombinators", 5, "ro-bind", 23, true},
		{"programs.opencode.jailCombinators", 6, "set-env", 24, true},
		{"programs.opencode.jailCombinators", 9, "", 23, false},
		{"programs.opencode.jailCombinators", 1, "tmpfs", 17, false}, // the file has changed since
		{"programs.opencode.jailCombinators", -1, "", 15, true},
		{"programs.opencode.policy.mode", -1, "", 14, true},
		{"programs.opencode.policy.config", -1, "", 11, false},
		{"programs.opencode.env", 1, "", 27, true},
		{"programs.opencode.caches", 0, "", 11, false},
		{"services.x.list", 2, "", 29, true},
		{"services.other", -1, "", 0, false},
		{"packages", 1, "", 10, true},
		{"packages", 2, "", 10, false},
	} {
		if line, exact := f.Line(tc.option, tc.entry, tc.combinator); line != tc.line || exact != tc.exact {
			t.Errorf("%s[%d]: line %d, exact %v; want %d, %v", tc.option, tc.entry, line, exact, tc.line, tc.exact)
		}
	}
}

// An option that the file sets twice is told by what stands in it.
func TestLineOfTwoDefinitions(t *testing.T) {
	f, err := Parse([]byte("{ config = mkMerge [\n{ a = [ network ]; }\n{ a = [ (tmpfs \"/x\") ]; }\n]; }"))
	if err != nil {
		t.Fatal(err)
	}
	if line, exact := f.Line("a", 0, "tmpfs"); line != 3 || !exact {
		t.Error(line, exact)
	}
}

func TestHostileFiles(t *testing.T) {
	for _, src := range []string{
		`{ a = "`, `{ a = ''`, `{ a = "${`, `/*`, `{ a = [ `, "\\", `"\`, `''\`, `''''\`,
		strings.Repeat("(", 1e6), strings.Repeat(`"${`, 1e6), strings.Repeat("let ", 1e5),
	} {
		if _, err := Parse([]byte(src)); err == nil && src != "\\" {
			t.Errorf("%.20q is read", src)
		}
	}
	for _, src := range []string{"", "}", "x: y", "a: b: {}", "\xff\x00", "{ = ; }", "{ a.${x}.b = 1; inherit (x) y; }", "[ . or ]"} {
		if _, err := Parse([]byte(src)); err != nil {
			t.Errorf("%q: %v", src, err)
		}
	}
}

// Files that Nix itself reads are read here: the module's own.
func TestOwnFiles(t *testing.T) {
	files, err := filepath.Glob("../../../nix/*.nix")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range append(files, "../../../module.nix", "../../../flake.nix") {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Fuzz(func(_ *testing.T, src string) {
		if file, err := Parse([]byte(src)); err == nil {
			file.Line("programs.opencode.jailCombinators", 2, "x")
		}
	})
}
