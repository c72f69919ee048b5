package host

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// A variable from a project's .env moves no trusted file away, and none into place.
func TestMovedConfig(t *testing.T) {
	w := newWorld(t)
	write := func(dir string) {
		t.Helper()
		if err := os.MkdirAll(dir+"/ocjail", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/ocjail/ocjail.hcl", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere, data := w.dir+"/elsewhere", w.home+"/.local/share/opencode"
	w.env = map[string]string{"XDG_CONFIG_HOME": data}
	w.facts(t)
	write(data)
	w.refuses(t, "XDG_CONFIG_HOME", "programs in a jail")
	project := w.dir + "/project-of-another"
	write(project + "/config")
	w.env["XDG_CONFIG_HOME"] = project + "/config"
	w.facts(t)
	if err := os.Mkdir(project+"/.git", 0o755); err != nil {
		t.Fatal(err)
	}
	w.refuses(t, "in the project", "unset it")
	w.env["XDG_CONFIG_HOME"] = elsewhere
	w.facts(t)
	write(elsewhere)
	w.facts(t)
	write(w.home + "/.config")
	w.refuses(t, "XDG_CONFIG_HOME", "overlooked")
	w.env["XDG_CONFIG_HOME"] = w.dir + "/absent"
	w.refuses(t, "XDG_CONFIG_HOME", "overlooked")
	if err := os.Symlink(w.home+"/.config", w.dir+"/link"); err != nil {
		t.Fatal(err)
	}
	w.env["XDG_CONFIG_HOME"] = w.dir + "/link"
	w.facts(t)
}

func TestXDG(t *testing.T) {
	w := newWorld(t)
	for _, variable := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME"} {
		w.env = map[string]string{variable: "./x"}
		w.refuses(t, variable, "relative")
		w.env = map[string]string{variable: w.passwd}
		w.refuses(t, variable, "not a directory")
	}
	w.env = map[string]string{"XDG_STATE_HOME": w.dir + "/later"}
	if got := w.facts(t).StateDir; got != w.home+"/.local/state/ocjail" {
		t.Errorf("state in %s", got)
	}
	w.env = map[string]string{"XDG_CACHE_HOME": w.dir + "/later"}
	if got := w.facts(t).CacheDir; got != w.dir+"/later/ocjail" {
		t.Errorf("the cache in %s", got)
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
