// Command ocjail-rules does for ocjail what needs OPA: it judges by rules from
// elsewhere than the embedded pack, and runs the tests of rules. People start
// ocjail, which starts this.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/refnil/opencode-jail-devenv/checker/engine/judge/rego"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/report"
	"github.com/refnil/opencode-jail-devenv/checker/ruletest"
)

// Exit statuses, as ocjail's.
const (
	foundStatus  = 1
	brokenStatus = 2
)

func main() {
	debug.SetGCPercent(400) // rules are compiled once and inputs are small
	debug.SetMemoryLimit(512 << 20)
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

var errUsage = errors.New(worker.Name + " is started by ocjail: see ocjail --help")

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	status, err := brokenStatus, errUsage
	if len(args) > 0 {
		if command := commands[args[0]]; command != nil {
			status, err = command(args[1:], stdout)
		} else if len(args) == 1 && args[0] == "judge" {
			status, err = statusOf(rego.Means.Serve(context.Background(), stdin, stdout))
		}
	}
	if err != nil {
		_ = report.Error(stderr, err) // nobody is left to tell that standard error is gone
	}
	return status
}

// commands are what ocjail starts this for, by name.
var commands = map[string]func(words []string, out io.Writer) (int, error){
	"test":           test,
	"build":          plainly(build),
	"bundle-build":   buildBundle,
	"bundle-sign":    plainly(signBundle),
	"bundle-push":    plainly(pushBundle),
	"bundle-pull":    plainly(pullBundle),
	"bundle-fetch":   plainly(fetchOne),
	"bundle-refresh": plainly(refreshBundles),
}

// plainly is a command that succeeds or is broken.
func plainly(command func([]string, io.Writer) error) func([]string, io.Writer) (int, error) {
	return func(words []string, out io.Writer) (int, error) { return statusOf(command(words, out)) }
}

func statusOf(err error) (int, error) {
	if err != nil {
		return brokenStatus, err
	}
	return 0, nil
}

// sameBuild refuses to work for another ocjail.
func sameBuild(caller string) error {
	if own := worker.Identity().String(); caller != own {
		return fmt.Errorf("ocjail (%s) and %s (%s) are not of one build: install both anew", caller, worker.Name, own)
	}
	return nil
}

// test runs the tests that the words of ocjail test name, which it has checked.
func test(words []string, out io.Writer) (int, error) {
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	build := flags.String("build", "", "")
	format := flags.String("format", "text", "")
	least := flags.Float64("coverage", 0, "")
	if err := flags.Parse(words); err != nil {
		return brokenStatus, err
	}
	if err := sameBuild(*build); err != nil {
		return brokenStatus, err
	}
	ctx := context.Background()
	suite, err := ruletest.Load(ctx, flags.Args()...)
	if err != nil {
		return brokenStatus, err
	}
	r, err := ruletest.Run(ctx, suite)
	if err != nil {
		return brokenStatus, err
	}
	if *format == "json" {
		err = report.JSON(out, r)
	} else {
		err = r.Text(out)
	}
	switch {
	case err != nil:
		return brokenStatus, fmt.Errorf("write the report: %w", err)
	case r.Failed > 0:
		return foundStatus, nil
	case r.Coverage.Percent < *least:
		return foundStatus, fmt.Errorf("the tests cover %.1f %% of the rules, less than %g %%", r.Coverage.Percent, *least)
	}
	return 0, nil
}
