package nix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/tests/agent"
)

func agentTools(t *testing.T) agent.Tools {
	t.Helper()
	setUp(t)
	tools, err := agent.FindTools(root, t.TempDir(), ocjail)
	if err != nil {
		t.Fatal(err)
	}
	return tools
}

// realOpencode is a devenv.nix with the real opencode in the jail. Off NixOS its
// binary needs the machine's libc.
func realOpencode(tools agent.Tools) string {
	return `
		programs.opencode.enable = true;
		programs.opencode.package = pkgs.programAt "opencode" "` + tools.Opencode + `";
		programs.opencode.jailCombinators = with pkgs.jail.combinators; [
			(readonly "/lib64") (try-readonly "/lib/x86_64-linux-gnu") (try-readonly "/lib/aarch64-linux-gnu")
		];
	`
}

// The real opencode in the module's jail: what tests/agent proves of
// `ocjail run` holds here too.
func TestAgent(t *testing.T) {
	tools := agentTools(t)
	opencode := newDevenv(t, realOpencode(tools)).opencode()
	// The agent's user calls `ocjail run --project DIR -- opencode ARGS`.
	tools.Ocjail = filepath.Join(t.TempDir(), "ocjail")
	// Nobody is there to approve the jail.
	const consent = `mkdir -p "$HOME/.config/ocjail" && printf 'gate {\n  approval = "off"\n}\n' >"$HOME/.config/ocjail/ocjail.hcl"` + "\n"
	script := "#!/bin/sh\n" + consent + "shift 5\nexec " + opencode + " \"$@\"\n"
	if err := os.WriteFile(tools.Ocjail, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	results, err := agent.Run(t.Context(), tools, true, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.AsPromised(true) {
			t.Errorf("%s: happened = %v; the agent answered: %s", r.Act.Name, r.Happened, r.Reply)
		}
	}
	// And the model is told of this jail, in the words of devenv.nix.
	system, err := agent.System(t.Context(), tools, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"This session runs in a jail", `(rw-bind "/PATH" "/PATH")`, "programs.opencode.jailCombinators", "House rule: be brief."} {
		if !strings.Contains(system, want) {
			t.Errorf("the model was not told %q:\n%s", want, system)
		}
	}
}

// Configuration that devenv generates, as links into the store, is what opencode
// sees inside as well as outside: its permissions must not get lost.
func TestGeneratedConfiguration(t *testing.T) {
	tools := agentTools(t)
	const text = `{"$schema":"https://opencode.ai/config.json","permission":{"bash":"deny"}}`
	const agentText = "---\ndescription: Reviews\nmode: subagent\n---\nYou review code.\n"
	p := newDevenv(t, realOpencode(tools)+`
		files = let file = name: text: if config ? outputs then { inherit text; } else { file = pkgs.writeText (baseNameOf name) text; }; in
			builtins.mapAttrs file {
				"opencode.jsonc" = builtins.readFile ./text;
				".opencode/agents/reviewer.md" = builtins.readFile ./agent;
				".opencode/commands/fix.md" = "Fix the tests";
			};
	`)
	for name, text := range map[string]string{"text": text, "agent": agentText} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	opencode := p.opencode()
	w := newWorld(t, false)
	w.link(p)
	w.write(userConfig, "gate {\n  approval = \"off\"\n  inform   = false\n}\n") // its instructions are no difference of the project's
	// A program of root's own folder can't be run by the world's user.
	bare := filepath.Join(p.build("cfg.opencodePackage"), "bin/opencode")
	env := []string{"OPENCODE_DISABLE_AUTOUPDATE=1", "OPENCODE_DISABLE_MODELS_FETCH=1", "OPENCODE_DISABLE_DEFAULT_PLUGINS=1"}
	outside := w.launch(env, bare, "debug", "config").expect(t, 0)
	inside := w.launch(env, opencode, "debug", "config").expect(t, 0)
	for _, want := range []string{`"deny"`, "You review code.", "Fix the tests"} {
		if !strings.Contains(outside.stdout, want) {
			t.Fatalf("opencode does not read its configuration, %s:\n%s", want, outside.stdout)
		}
	}
	if inside.stdout != outside.stdout {
		t.Errorf("inside\n%s\noutside\n%s", inside.stdout, outside.stdout)
	}
}
