package profile

import (
	"errors"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	const nvm = "/home/u/.nvm/v22"
	base := tree{"/usr/bin/env*", "/bin -> usr/bin", "/home/u/proj/run*", "/home/u/proj/sub/run*", "/usr/bin/sh*", "/usr/bin/vi -> /etc/alternatives/vi",
		"/etc/alternatives/vi -> /usr/bin/vim", "/usr/bin/vim*",
		nvm + "/bin/node*", nvm + "/bin/opencode -> ../lib/node_modules/opencode-ai/bin/opencode",
		nvm + "/lib/node_modules/opencode-ai/bin/opencode* = #!/usr/bin/env node\n",
		"/home/u/bin/tool*", "/home/u/bin/secret", "/home/u/bin/py* = #!/home/u/py/python -I\n", "/home/u/py/python -> python3.12", "/home/u/py/python3.12*",
		"/home/u/bin/loop* = #!/home/u/bin/loop\n", "/home/u/bin/nonode* = #!/usr/bin/env -S FOO=1 absent -x\n", "/home/u/bin/data", "/home/u/bin/dangling -> gone",
		"/home/u/bin/round -> round", "/home/u/bin/bare* = #!/usr/bin/env\n", "/home/u/bin/opt* = #!/usr/bin/env -u PATH sh\n", "/home/u/bin/split* = #!/usr/bin/env -Ssh -e\n",
		"/home/u/proj/steals* = #!/home/u/bin/tool\n", "/home/u/proj/env* = #!/usr/bin/env tool\n", "/home/u/proj/ok* = #!/usr/bin/env -S A=1 sh\n",
		"/home/u/proj/link -> /home/u/bin/tool", "/home/u/proj/script -> /home/u/bin/py", "/home/u/proj/mine* = #!/home/u/proj/run\n", "/home/u/proj/node_modules/.bin/x -> ../x/x.js", "/home/u/proj/node_modules/x/x.js*"}
	tests := map[string]struct{ command, path, want string }{
		"visible":           {"sh", "/usr/bin", "-- /usr/bin/sh"},
		"by a link folder":  {"sh", "/bin", "-- /bin/sh"},
		"by alternatives":   {"vi", "/usr/bin", "-- /usr/bin/vi"},
		"in the project":    {"./run", "/usr/bin", "-- /home/u/proj/run"},
		"project's npm":     {"x", "/home/u/proj/node_modules/.bin", "-- /home/u/proj/node_modules/.bin/x"},
		"file alone":        {"tool", "/home/u/bin", "--ro-bind /home/u/bin/tool /home/u/bin/tool --setenv"},
		"script by path":    {"py", "/home/u/bin", "--ro-bind /home/u/bin/py /home/u/bin/py --ro-bind /home/u/py/python3.12 /home/u/py/python --setenv"},
		"npm under nvm":     {"opencode", nvm + "/bin:/usr/bin", "--ro-bind " + nvm + "/lib/node_modules " + nvm + "/lib/node_modules --ro-bind " + nvm + "/bin/node " + nvm + "/bin/node --setenv"},
		"npm's PATH":        {"opencode", nvm + "/bin:/usr/bin", "PATH /usr/bin:/bin:" + nvm + "/lib/node_modules/opencode-ai/bin:" + nvm + "/bin"},
		"npm's command":     {"opencode", nvm + "/bin:/usr/bin", "-- " + nvm + "/lib/node_modules/opencode-ai/bin/opencode"},
		"not a program":     {"data", "/home/u/bin", "!command not found: data"},
		"not executable":    {"/home/u/bin/data", "/usr/bin", "!command not found: /home/u/bin/data is there, and nobody may execute it: chmod +x"},
		"folder":            {"/home/u/bin", "/usr/bin", "!command not found: /home/u/bin is there, and no file"},
		"no such path":      {"/home/u/bin/none", "/usr/bin", "!command not found: /home/u/bin/none"},
		"dangling":          {"dangling", "/home/u/bin", "!command not found: dangling"},
		"link to itself":    {"round", "/home/u/bin", "!command not found: round"},
		"relative PATH":     {"run", ".::sub", "!command not found: run"},
		"no interpreter":    {"nonode", "/home/u/bin:/usr/bin", "!command not found: absent"},
		"env alone":         {"bare", "/home/u/bin", "-- /home/u/bin/bare"},
		"env's options":     {"opt", "/home/u/bin", "!gives env the option -u"},
		"env's -S attached": {"split", "/home/u/bin:/usr/bin", "-- /home/u/bin/split"},
		// What lies in the project is the agent's word.
		"project's script":            {"./steals", "/usr/bin", "!/home/u/proj/steals, which lies in the project, needs /home/u/bin/tool"},
		"project's env":               {"./env", "/home/u/bin", "!--add 'readonly /home/u/bin/tool'"},
		"project's link":              {"./link", "/usr/bin", "!/home/u/proj/link, which lies in the project, needs"},
		"project's link to a script":  {"./script", "/usr/bin", "!/home/u/proj/script, which lies in the project, needs"},
		"project's script of sh":      {"./ok", "/usr/bin", "-- /home/u/proj/ok"},
		"project's script of its own": {"./mine", "/usr/bin", "-- /home/u/proj/mine"},
		"endless scripts":             {"loop", "/home/u/bin", "!is a script that is run by scripts"},
		"absent opencode":             {"opencode", "/usr/bin", "!command not found: opencode is not on PATH: install it with npm install -g opencode-ai"},
	}
	src := "system = true\ntmpfs \"~\" {}\n"
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			words, err := parse(t, project+src).Argv(host(t, base, map[string]string{"PATH": tc.path}), nil, []string{tc.command})
			want, fails := strings.CutPrefix(tc.want, "!")
			if fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("got %v, want %s", err, want)
				}
				if strings.HasPrefix(want, "command not found") != errors.Is(err, ErrCommandNotFound) {
					t.Errorf("kind of %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(withoutOrigins(words), " "); !strings.Contains(got, want) {
				t.Errorf("got  %s\nwant …%s…", got, want)
			}
		})
	}
}

func TestProjectScriptWithWhatWasAdded(t *testing.T) {
	base := tree{"/usr/bin/env*", "/home/u/node/bin/node*", "/home/u/proj/run* = #!/usr/bin/env node\n"}
	h := host(t, base, map[string]string{"PATH": "/home/u/node/bin:/usr/bin"})
	words, err := parse(t, project+"system = true\n").Argv(h, []string{"readonly /home/u/node/bin/node"}, []string{"./run"})
	if err != nil || !strings.Contains(strings.Join(words, " "), "--ro-bind /home/u/node/bin/node /home/u/node/bin/node") {
		t.Errorf("%v %v", words, err)
	}
}

func TestWorktree(t *testing.T) {
	const bind = "--bind /home/u/main/.git /home/u/main/.git"
	main := "/home/u/main/.git"
	tests := map[string]struct {
		common string
		src    string
		add    []string
		want   string
	}{
		"worktree":      {main, "", nil, bind},
		"none":          {"", "", nil, "--bind /home/u/proj /home/u/proj --setenv"},
		"inside":        {"/home/u/proj/.git", "", nil, "--bind /home/u/proj /home/u/proj --setenv"},
		"switched off":  {main, "git_worktree = false", nil, "--bind /home/u/proj /home/u/proj --setenv"},
		"added by hand": {main, "", []string{"readonly " + main}, "--ro-bind /home/u/main/.git /home/u/main/.git"},
		"an ancestor's": {"/home/u", "", nil, "!is or contains your home directory"},
		"not clean":     {"/srv/../home", "", nil, "!is or contains your home directory"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := host(t, tree{"/usr/bin/sh*", "/home/u/proj/", main + "/"}, map[string]string{"PATH": "/usr/bin"})
			h.GitCommonDir = tc.common
			words, err := parse(t, project+"mount \"/usr\" { access = \"ro\" }\n"+tc.src).Argv(h, tc.add, []string{"sh"})
			if want, fails := strings.CutPrefix(tc.want, "!"); fails {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("got %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(withoutOrigins(words), " "); !strings.Contains(got, tc.want) {
				t.Errorf("got  %s\nwant …%s…", got, tc.want)
			}
		})
	}
}
