package main

import "os"

// systemPath is where credential helpers are looked for.
const systemPath = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin"

// quiet is the environment in which bundles are fetched. This process has the project's, whose .env may
// have been written by an agent: it must not choose programs (PATH), credentials
// (DOCKER_CONFIG) or whom to take a host's word from (SSL_CERT_FILE). A proxy sees no
// more than names of hosts, for there is no source off this machine without TLS.
func quiet(home string) []string {
	env := []string{"HOME=" + home, "PATH=" + systemPath}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
