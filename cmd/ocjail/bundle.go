package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/release"
	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func newBundle() *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Make, sign, push, pull and lock bundles of rules for an organisation",
		Long: `Make, sign, push, pull and lock bundles: an organisation's rules, lists and configuration
as one file, in OPA's format, which a policy names with the keys that it must be
signed by (ocjail.hcl, policy "NAME" { source = "acme.tar.gz", keys = […] }).`,
		Example: `  openssl genpkey -algorithm ed25519 -out acme.key
  openssl pkey -in acme.key -pubout -out acme.pem
  ocjail bundle build rules/ -o acme.tar.gz
  ocjail bundle sign acme.tar.gz --key acme.key
  ocjail bundle verify acme.tar.gz --key acme.pem
  ocjail bundle push acme.tar.gz oci://ghcr.io/acme/policy:stable
  ocjail bundle pull
  ocjail bundle update --check jails/`,
	}
	c.AddCommand(newBundleBuild(), newBundleSign(), newBundleVerify(), newBundleInspect(), newBundlePush(), newBundlePull(), newBundleUpdate())
	return c
}

// archiveSuffix is what a bundle's name ends with.
const archiveSuffix = ".tar.gz"

func newBundleBuild() *cobra.Command {
	var output, revision, expires, least string
	var wasm, noPlan bool
	c := &cobra.Command{
		Use:   "build [flags] DIR",
		Short: "Make a bundle out of a folder of rules",
		Long: `Make a bundle out of a folder: its rules in Rego and WebAssembly, its lists in
data/, and its ocjail.hcl, which may configure rules and everything else, but name
no further policies. The rules must compile, and their tests (NAME_test.rego) pass;
tests are left out of the bundle. Rego is also compiled to what a launch reads at
once, or with --wasm to WebAssembly alone.

Of two bundles the one with the higher revision is the newer: a whole number, or
up to four with dots (42, 3.1.0). Without --revision it is the time in seconds.
Equal folders, flags and SOURCE_DATE_EPOCH give equal bytes.

Exit status 0; 1: tests fail; 2: the rules are broken.`,
		Example: `  ocjail bundle build rules/ -o acme.tar.gz
  ocjail bundle build rules/ -o acme.tar.gz --revision 42 --expires 2027-03-01
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) ocjail bundle build rules/ -o acme.tar.gz`,
		Args: operands(1, "DIR"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, dirs []string) error {
			words, err := buildWords(output, revision, expires, least)
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			if wasm {
				words = append(words, "-wasm")
			}
			if noPlan {
				words = append(words, "-no-plan")
			}
			return runRules("bundle-build", append(words, "--", dirs[0])...)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "the bundle's `FILE`, NAME"+archiveSuffix)
	c.Flags().StringVar(&revision, "revision", "", "which `REVISION` it is")
	c.Flags().StringVar(&expires, "expires", "", "the last `DATE` on which it counts, YYYY-MM-DD, UTC")
	c.Flags().StringVar(&least, "min-version", "", "the least `VERSION` of ocjail that can use it")
	c.Flags().BoolVar(&wasm, "wasm", false, "compile Rego to WebAssembly, and leave the Rego out")
	c.Flags().BoolVar(&noPlan, "no-plan", false, "leave out what a launch of this ocjail reads in place of the Rego")
	must(c.MarkFlagFilename("output", strings.TrimPrefix(archiveSuffix, ".")))
	for _, name := range []string{"revision", "expires", "min-version"} {
		must(c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
	}
	return c
}

// buildWords checks what a bundle is to be, and writes it for ocjail-rules.
func buildWords(output, revision, expires, least string) ([]string, error) {
	if !strings.HasSuffix(output, archiveSuffix) {
		return nil, fmt.Errorf("name the bundle with -o FILE%s", archiveSuffix)
	}
	now, err := sourceDate()
	if err != nil {
		return nil, err
	}
	if revision == "" {
		revision = strconv.FormatInt(now.Unix(), 10)
	}
	if _, err := bundle.ParseRevision(revision); err != nil {
		return nil, fmt.Errorf("--revision: %w", err)
	}
	words := []string{"-output=" + output, "-revision=" + revision, fmt.Sprintf("-created=%d", now.Unix()), "-min-version=" + least}
	if expires != "" {
		day, err := time.Parse(time.DateOnly, expires)
		if err != nil {
			return nil, fmt.Errorf("--expires %q: write the last day on which it counts, as in 2027-03-01", expires)
		}
		end := day.AddDate(0, 0, 1)
		if !now.Before(end) {
			return nil, fmt.Errorf("--expires %s: that day is past, and nobody could use the bundle: write a later one", expires)
		}
		words = append(words, fmt.Sprintf("-expires=%d", end.Unix()))
	}
	return words, nil
}

// sourceDate is the time that a build goes by
// (https://reproducible-builds.org/specs/source-date-epoch/).
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now(), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q is no time: write seconds since 1970, or unset it", text)
	}
	return time.Unix(n, 0), nil
}

func newBundleSign() *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:   "sign --key FILE [flags] BUNDLE",
		Short: "Sign a bundle, in place",
		Long: `Sign all that is in a bundle with a private key in PEM, Ed25519 (EdDSA) or P-256
(ES256), in place of a signature that it has. OPA verifies it as well
(https://www.openpolicyagent.org/docs/management-bundles#signing).

Exit status 0, or 2 when the bundle or the key is broken.`,
		Example:           `  ocjail bundle sign acme.tar.gz --key acme.key`,
		Args:              operands(1, "BUNDLE"),
		ValidArgsFunction: completeFirst(completeBundles),
		RunE: func(_ *cobra.Command, files []string) error {
			if err := isFile(files[0]); err != nil {
				return &statusError{brokenStatus, err}
			}
			return runRules("bundle-sign", "-key="+key, "--", files[0])
		},
	}
	c.Flags().StringVar(&key, "key", "", "the private key's `FILE`")
	must(c.MarkFlagRequired("key"))
	must(c.MarkFlagFilename("key"))
	return c
}

func completeBundles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"gz"}, cobra.ShellCompDirectiveFilterFileExt
}

func newBundleVerify() *cobra.Command {
	var keys []string
	var least string
	c := &cobra.Command{
		Use:   "verify --key FILE [flags] BUNDLE",
		Short: "Verify a bundle as a launch does",
		Long: `Verify that a bundle is signed by one of the keys, is whole, has not expired, and can
be used by this ocjail: what a launch verifies.

Exit status 0; 1: it is refused, and why; 2: the file or a key can not be read, or it
is no archive.`,
		Example: `  ocjail bundle verify acme.tar.gz --key acme.pem
  ocjail bundle verify acme.tar.gz --key acme.pem --key acme-next.pem --at-least 41`,
		Args:              operands(1, "BUNDLE"),
		ValidArgsFunction: completeFirst(completeBundles),
	}
	c.Flags().StringArrayVar(&keys, "key", nil, "a public key's `FILE`; more than once for several")
	c.Flags().StringVar(&least, "at-least", "", "refuse a `REVISION` below this one")
	must(c.MarkFlagRequired("key"))
	must(c.MarkFlagFilename("key"))
	must(c.RegisterFlagCompletionFunc("at-least", cobra.NoFileCompletions))
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		trust := bundle.Trust{Now: time.Now(), Version: release.Version}
		var err error
		if least != "" {
			if trust.Least, err = bundle.ParseRevision(least); err != nil {
				return &statusError{brokenStatus, fmt.Errorf("--at-least: %w", err)}
			}
		}
		for _, name := range keys {
			text, err := readMost(name, 1<<20)
			if err != nil {
				return &statusError{brokenStatus, err}
			}
			more, err := bundle.ParseKeys(text)
			if err != nil {
				return &statusError{brokenStatus, fmt.Errorf("%s: %w", name, err)}
			}
			trust.Keys = append(trust.Keys, more...)
		}
		archive, err := readBundle(files[0])
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		b, err := bundle.Open(archive, trust)
		if errors.Is(err, bundle.ErrNoArchive) {
			return &statusError{brokenStatus, fmt.Errorf("%s: %w", files[0], err)}
		}
		if err != nil {
			return &statusError{foundStatus, fmt.Errorf("%s is refused: %w", files[0], err)}
		}
		return write(c.OutOrStdout(), *format, report.NewBundle(files[0], b, nil))
	}
	return c
}

func newBundleInspect() *cobra.Command {
	c := &cobra.Command{
		Use:   "inspect [flags] BUNDLE",
		Short: "Show what is in a bundle, and verify nothing",
		Long: `Show what a bundle is and holds, also of one that no launch would take: one that
has expired or is signed by nobody. What its signature says of itself is shown as
well, and not verified: ocjail bundle verify does that.

Exit status 0, or 2 when it can not be read.`,
		Example: `  ocjail bundle inspect acme.tar.gz
  ocjail bundle inspect acme.tar.gz --format json | jq -r '.rules[].id'`,
		Args:              operands(1, "BUNDLE"),
		ValidArgsFunction: completeFirst(completeBundles),
	}
	format := textOrJSON(c)
	c.RunE = func(c *cobra.Command, files []string) error {
		archive, err := readBundle(files[0])
		if err != nil {
			return &statusError{brokenStatus, err}
		}
		b, claim, err := bundle.Inspect(archive)
		if err != nil {
			return &statusError{brokenStatus, fmt.Errorf("%s: %w", files[0], err)}
		}
		return write(c.OutOrStdout(), *format, report.NewBundle(files[0], b, &claim))
	}
	return c
}
