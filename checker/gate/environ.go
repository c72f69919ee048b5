package gate

import (
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// loaderVariables change what the dynamic loader or the C library does in bwrap
// itself, before there is a jail (ld.so(8); glibc's unsecvars.h lists what it
// drops for setuid programs). They reach the command through --setenv only.
var loaderVariables = []string{
	"GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "MALLOC_TRACE",
	"NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS", "TMPDIR", "TZDIR", "MALLOC_ARENA_MAX", "MALLOC_PERTURB_",
}

func steersLoader(name string) bool {
	return strings.HasPrefix(name, "LD_") || slices.Contains(loaderVariables, name)
}

// splitEnvironment moves the environment out of the options: bwrap is started
// with exactly the command's, for its first process in the jail never executes
// anything else, and its environment can be read there (proc_pid_environ(5)).
// What would steer bwrap itself stays an option.
func splitEnvironment(s *sandbox.Sandbox, inherited []string) (env []string, options []sandbox.Option) {
	env = []string{}
	for _, v := range s.Environment(inherited) {
		if steersLoader(v.Name) {
			options = append(options, sandbox.Option{Name: "--setenv", Args: []string{v.Name, v.Value}})
			continue
		}
		env = append(env, v.Name+"="+v.Value)
	}
	return env, options
}

// setsEnvironment: splitEnvironment has done what o says.
func setsEnvironment(o sandbox.Option) bool {
	return o.Name == "--clearenv" || o.Name == "--setenv" || o.Name == "--unsetenv"
}
