package host

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestXDG(t *testing.T) {
	w := newWorld(t)
	for _, variable := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
		w.env = map[string]string{variable: "./x"}
		w.refuses(t, variable, "relative")
		w.env = map[string]string{variable: w.passwd}
		w.refuses(t, variable, "not a directory")
	}
	w.env = map[string]string{"XDG_STATE_HOME": w.dir + "/later"}
	if got := w.facts(t).StateDir; got != w.dir+"/later/ocjail" {
		t.Errorf("state in %s", got)
	}
	shared := w.dir + "/shared"
	mkdir(t, shared)
	check(t, os.Chmod(shared, 0o775))
	w.env = map[string]string{"XDG_CONFIG_HOME": shared}
	w.refuses(t, "XDG_CONFIG_HOME", "others can write")
	check(t, os.Chmod(shared, 0o755))
	if got := w.facts(t).ConfigDir; got != shared+"/ocjail" {
		t.Errorf("configuration in %s", got)
	}
	w.env["XDG_CONFIG_HOME"] = w.home + "/.config/" // the standard place is as safe as the home
	mkdir(t, w.home+"/.config")
	check(t, os.Chmod(w.home+"/.config", 0o775))
	w.facts(t)
}

func TestRuntimeDir(t *testing.T) {
	w := newWorld(t)
	if facts := w.facts(t); facts.RuntimeDir != "" || facts.RuntimeDirs != nil {
		t.Errorf("%+v", facts)
	}
	login, set := w.run+"/"+strconv.Itoa(w.uid), w.dir+"/set"
	mkdir(t, login)
	mkdir(t, set)
	w.env["XDG_RUNTIME_DIR"] = set
	for _, c := range []struct {
		setMode, loginMode os.FileMode
		want               string
	}{{0o700, 0o700, set}, {0o755, 0o700, login}, {0o777, 0o711, ""}} {
		check(t, os.Chmod(set, c.setMode))
		check(t, os.Chmod(login, c.loginMode))
		facts := w.facts(t)
		if facts.RuntimeDir != c.want || fmt.Sprint(facts.RuntimeDirs) != fmt.Sprint([]string{set, login}) {
			t.Errorf("%o %o: %q of %v, want %q", c.setMode, c.loginMode, facts.RuntimeDir, facts.RuntimeDirs, c.want)
		}
	}
	w.env["XDG_RUNTIME_DIR"] = login
	if facts := w.facts(t); len(facts.RuntimeDirs) != 1 {
		t.Errorf("twice the same: %v", facts.RuntimeDirs)
	}
	w.env["XDG_RUNTIME_DIR"] = "relative"
	wantUnknown(t, w.facts(t).Unknown["runtime"])
	w.env = map[string]string{"SSH_AUTH_SOCK": "agent"}
	wantUnknown(t, w.facts(t).Unknown["ssh-agent"])
}

func TestWithin(t *testing.T) {
	w := newWorld(t)
	mkdir(t, w.dir+"/state")
	link(t, w.dir+"/state", w.project+"/through")
	link(t, w.project, w.dir+"/into")
	link(t, "gone", w.project+"/dangling")
	for _, c := range []struct {
		path string
		in   bool
	}{
		{w.project, true}, {w.project + "/a/b", true}, {w.dir + "/into/x", true}, {w.project + "/through/x", true},
		{w.project + "/dangling/x", true}, {w.dir + "/state", false}, {w.project + "x", false}, {w.home, false}, {"/", false},
	} {
		for _, root := range []string{w.project, w.dir + "/into"} {
			got, err := NewFS().Within(c.path, []string{w.dir + "/none", root})
			check(t, err)
			if (got == root) != c.in {
				t.Errorf("%s within %s: %q, want %v", c.path, root, got, c.in)
			}
		}
	}
	if got, err := NewFS().Within(w.dir+"/none/x", []string{w.dir + "/none"}); got == "" || err != nil {
		t.Errorf("an absent root: %q %v", got, err)
	}
	link(t, "loop", w.dir+"/loop")
	_, err := NewFS().Within(w.dir+"/loop/x", []string{w.project})
	wantUnknown(t, err)
	_, err = NewFS().Within(w.project, []string{w.dir + "/loop"})
	wantUnknown(t, err)
}
