package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// howSourcesAreReached is what the commands that speak to networks say of them.
const howSourcesAreReached = `Credentials for a registry are those of ~/.docker/config.json and of the helpers that
it names (docker login HOST), or of another folder with --docker-config. A host's
certificate is one that this machine trusts, or --ca-file. Of the environment, which a
project's .env can set, the proxy alone counts (HTTPS_PROXY, NO_PROXY): not PATH,
DOCKER_CONFIG or SSL_CERT_FILE. A host on this machine (127.0.0.1, [::1], localhost) is
spoken to without TLS, no other.`

// network is what somebody says of the network that bundles go and come by.
type network struct {
	timeout     time.Duration
	authorities string // a file, "" for the system's alone
	docker      string // a folder, "" for the user's
}

func (n *network) register(c *cobra.Command) {
	c.Flags().DurationVar(&n.timeout, "timeout", 30*time.Second, "how long each source may take: a `TIME`, as in 30s or 5m")
	must(c.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions))
	c.Flags().StringVar(&n.authorities, "ca-file", "", "a `FILE` of certificates in PEM whose issuers may vouch for hosts, beside the system's")
	must(c.MarkFlagFilename("ca-file"))
	c.Flags().StringVar(&n.docker, "docker-config", "", "the `DIR` whose config.json has the credentials for registries (default ~/.docker)")
	must(c.MarkFlagDirname("docker-config"))
}

// words are those for ocjail-rules.
func (n *network) words() []string {
	return []string{"-timeout=" + n.timeout.String(), "-ca-file=" + n.authorities}
}

// environment is that of the process that speaks to networks, for which somebody waits.
// The error says which flag is misused.
func (n *network) environment(home string) ([]string, error) {
	if n.authorities != "" {
		if text, err := readMost(n.authorities, 1<<20); err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		} else if !bytes.Contains(text, []byte("-----BEGIN CERTIFICATE-----")) { // package x509 would make every start slower
			return nil, fmt.Errorf("--ca-file %s: it holds no certificate in PEM: name a file with BEGIN CERTIFICATE", n.authorities)
		}
	}
	env := append(quiet(home), "TERM="+os.Getenv("TERM"))
	// A helper finds the session's bus there, which holds a desktop's passwords. Its
	// address in the environment could name a program to be run.
	if at := fmt.Sprintf("/run/user/%d", os.Getuid()); isFolder(at) {
		env = append(env, "XDG_RUNTIME_DIR="+at)
	}
	if n.docker == "" {
		return env, nil
	}
	dir, err := filepath.Abs(n.docker)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "config.json"))
	}
	if err != nil {
		return nil, fmt.Errorf("--docker-config: %w: name the folder of a config.json", err)
	}
	return append(env, "DOCKER_CONFIG="+dir), nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// systemPath is where credential helpers are looked for.
const systemPath = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin"

// quiet is the environment in which bundles are fetched. This process has the project's,
// whose .env may have been written by an agent: it must not choose programs (PATH),
// credentials (DOCKER_CONFIG) or whom to take a host's word from (SSL_CERT_FILE). A proxy
// sees no more than names of hosts, for there is no source off this machine without TLS.
func quiet(home string) []string {
	env := []string{"HOME=" + home, "PATH=" + systemPath}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
