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
		check(t, os.MkdirAll(dir+"/ocjail", 0o755))
		check(t, os.WriteFile(dir+"/ocjail/ocjail.hcl", nil, 0o644))
	}
	own, elsewhere := w.home+"/.config", w.dir+"/elsewhere"
	w.env = map[string]string{"XDG_CONFIG_HOME": elsewhere}
	if f := w.facts(t); f.ConfigDir != own+"/ocjail" || f.ConfigHome != elsewhere {
		t.Errorf("configuration in %s, others' in %s", f.ConfigDir, f.ConfigHome)
	}
	write(elsewhere)
	w.refuses(t, "XDG_CONFIG_HOME", "does not count: yours is "+own+"/ocjail/ocjail.hcl")
	write(own)
	w.refuses(t, "XDG_CONFIG_HOME", "does not count")
	check(t, os.RemoveAll(elsewhere))
	w.facts(t)
	check(t, os.Symlink(own, elsewhere))
	w.facts(t)
	check(t, os.Remove(elsewhere))
	check(t, os.MkdirAll(elsewhere, 0o755))
	check(t, os.Rename(own+"/ocjail", elsewhere+"/ocjail"))
	check(t, os.Symlink(elsewhere+"/ocjail", own+"/ocjail"))
	w.facts(t)
}

func TestXDG(t *testing.T) {
	w := newWorld(t)
	for _, variable := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME"} {
		w.env = map[string]string{variable: "./x"}
		w.refuses(t, variable, "relative")
	}
	w.env = map[string]string{"XDG_CACHE_HOME": w.passwd}
	w.refuses(t, "XDG_CACHE_HOME", "not a directory")
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
	w.env = map[string]string{"XDG_CACHE_HOME": shared}
	w.refuses(t, "XDG_CACHE_HOME", "others can write")
	check(t, os.Chmod(shared, 0o755))
	if got := w.facts(t).CacheDir; got != shared+"/ocjail" {
		t.Errorf("the cache in %s", got)
	}
	w.env["XDG_CACHE_HOME"] = w.home + "/.cache/" // the standard place is as safe as the home
	mkdir(t, w.home+"/.cache")
	check(t, os.Chmod(w.home+"/.cache", 0o775))
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
