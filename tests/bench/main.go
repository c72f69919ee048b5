// Command bench times whole launches, plain bwrap against ocjail on the same
// argv, and prints the tables of the README. Timings are for people: it fails
// only when something does not run.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/profile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func main() {
	ocjail := flag.String("ocjail", "bin/ocjail", "the program to measure")
	rounds := flag.Int("rounds", 30, "runs of each variant")
	flag.Parse()
	if err := bench(*ocjail, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bwraps are the steps of --timings that are bwrap's work; the others are ocjail's.
var bwraps = []string{"start bwrap", "build the jail"}

// beside is what ocjail does while bwrap builds a jail that leaves no trace, as these do.
var beside = []string{"wait for the rules", "judge", "approval", "log"}

// without adds up the steps but for those.
func without(steps []step, names ...string) (total float64) {
	for _, s := range steps {
		if !slices.Contains(names, s.name) {
			total += s.ms
		}
	}
	return total
}

func bench(ocjail string, rounds int) error {
	program, err := filepath.Abs(ocjail)
	if err != nil {
		return err
	}
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return fmt.Errorf("%w: run make deps", err)
	}
	dir, err := os.MkdirTemp("", "ocjail-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bench: left behind:", err)
		}
	}()
	if program, err = install(program, filepath.Join(dir, "bin")); err != nil {
		return err
	}
	b := &benchmark{ocjail: program, bwrap: bwrap, world: filepath.Join(dir, "world"), system: filepath.Join(dir, "system"), rounds: rounds}
	if err := b.prepare(); err != nil {
		return err
	}
	return b.run()
}

// install copies the program and its helpers, as an installation does. In the page cache
// what is written in one go lies in large pieces; what the linker wrote, or page faults
// read from the disk, in single pages, which cost a launch up to a millisecond.
func install(program, dir string) (string, error) {
	files, err := filepath.Glob(program + "*")
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("install", append([]string{"-D", "-t", dir}, files...)...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("install the programs: %w\n%s", err, out)
	}
	return filepath.Join(dir, filepath.Base(program)), nil
}

// benchmark has a project, world, and apart from it what belongs to the system. As an
// ordinary user all of it is that user's own, and so costs a launch more than a real
// system does.
type benchmark struct {
	ocjail, bwrap, world, system, payload, hello string
	rounds                                       int
}

// payload prints when it began.
const payload = `package main

import (
	"os"
	"strconv"
	"time"
)

func main() { os.Stdout.WriteString(strconv.FormatInt(time.Now().UnixNano(), 10)) }
`

// prepare builds the payload, and a project for it.
func (b *benchmark) prepare() error {
	for _, dir := range []string{b.world, b.system} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	b.hello = filepath.Join(b.world, "hello")
	src := filepath.Join(b.world, "hello.go")
	if err := os.WriteFile(src, []byte(payload), 0o600); err != nil {
		return err
	}
	c := exec.Command("go", "build", "-o", b.hello, src)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build a program: %w\n%s", err, out)
	}
	b.payload = filepath.Join(b.system, "store", "opencode-wrapped", "bin", "opencode")
	if err := makeSource(b.payload, b.hello); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.world, "devenv.nix"), []byte("{ }\n"), 0o600)
}

func (b *benchmark) run() error {
	hello := &variant{name: "hello world in Go", command: []string{b.hello}}
	if err := measure(b.world, b.rounds, []*variant{hello}); err != nil {
		return err
	}
	fmt.Printf("hello world in Go: %s ms, %s of it CPU\n\n", ms(hello.median()), ms(median(hello.cpu)))
	fmt.Println("| jail | command begins: plain, ocjail ms | over ms | ratio | over / hello | ends: plain, ocjail ms | CPU: plain, ocjail ms | peak MiB |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	def, err := b.defaultArgv()
	if err != nil {
		return err
	}
	nix, err := nixArgv(b.world, b.system, b.hello)
	if err != nil {
		return err
	}
	nix = append(nix, "--ro-bind", b.payload, b.payload)
	long := longArgv(nix)
	var nixSteps, longSteps []step
	bare, err := b.bare()
	if err != nil {
		return err
	}
	for _, j := range []struct {
		name    string
		options []string
		flags   []string
		steps   *[]step
		rounds  int
	}{
		{"default profile", def, nil, nil, b.rounds},
		{"960 words of jail.nix", nix, nil, &nixSteps, b.rounds},
		{"the same, nothing added", nix, bare, nil, b.rounds},
		{"9,000 words", long, nil, &longSteps, max(3, b.rounds/6)},
	} {
		if err := b.compare(j.name, j.options, j.flags, j.rounds, hello); err != nil {
			return err
		}
		if j.steps != nil {
			if *j.steps, err = steps(b.world, j.rounds, b.gate(j.options, "--timings")); err != nil {
				return err
			}
		}
	}
	if err := b.modules(def); err != nil {
		return err
	}
	if err := b.bundles(def); err != nil {
		return err
	}
	printSteps(nixSteps, longSteps)
	return nil
}

// defaultArgv is the jail of `ocjail run` in the benchmark's own project.
func (b *benchmark) defaultArgv() ([]string, error) {
	facts, err := host.Gather(host.NewFS(), b.world)
	if err != nil {
		return nil, err
	}
	p, err := profile.Embedded("opencode")
	if err != nil {
		return nil, err
	}
	h := profile.Host{User: facts.User, Home: facts.Home, Project: facts.ProjectRoot, WorkDir: facts.ProjectRoot, CacheDir: facts.CacheDir, Lookup: os.LookupEnv, FS: profile.Root()}
	if err := p.MakeDirectories(h); err != nil {
		return nil, err
	}
	words, err := p.Argv(h, nil, []string{b.payload})
	if err != nil {
		return nil, err
	}
	s, err := sandbox.ParseArgv(words, nil)
	if err != nil {
		return nil, err
	}
	return s.Words(), nil
}

func (b *benchmark) gate(options []string, flags ...string) []string {
	command := append(append([]string{b.ocjail, "gate"}, flags...), "--")
	return append(append(command, options...), "--", b.payload)
}

// bare are flags with which the gate judges, verifies and logs a jail, and adds to it
// nothing that a configuration can leave out.
func (b *benchmark) bare() ([]string, error) {
	file := filepath.Join(b.system, "bare.hcl")
	text := "protect = []\ngate {\n  inform = false\n  review = \"off\"\n}\n"
	return []string{"--config", file}, os.WriteFile(file, []byte(text), 0o600)
}

// compare times one argv with plain bwrap and with ocjail.
func (b *benchmark) compare(name string, options, flags []string, rounds int, hello *variant) error {
	plain := &variant{name: name + ", plain bwrap", command: append(append([]string{b.bwrap}, options...), "--", b.payload)}
	gated := &variant{name: name + ", ocjail gate", command: b.gate(options, flags...)}
	if err := measure(b.world, rounds, []*variant{plain, gated}); err != nil {
		return err
	}
	over, ratio := gated.over(plain)
	fmt.Printf("| %s (%d) | %s, %s | %s | %.2f | %.1f | %s, %s | %s, %s | %d |\n", name, len(options), ms(median(plain.started)), ms(median(gated.started)), ms(over),
		ratio, float64(over)/float64(hello.median()), ms(plain.median()), ms(gated.median()),
		ms(median(plain.cpu)), ms(median(gated.cpu)), gated.peak/1024)
	return nil
}

// longArgv fills options up to nearly bwrap's limit of 9,000 arguments with
// symbolic links, as jail.nix makes them for certificates.
func longArgv(options []string) []string {
	long := append([]string{}, options...)
	for i := 0; len(long) < 8900; i++ {
		long = append(long, "--symlink", "/usr/share/certificate", fmt.Sprintf("/etc/certificates/%d", i))
	}
	return long
}

func printSteps(nix, long []step) {
	fmt.Print("\n| step | 960 words, ms | 9,000 words, ms |\n|---|---|---|\n")
	for i, s := range nix {
		fmt.Printf("| %s | %.2f | %.2f |\n", s.name, s.ms, long[i].ms)
	}
	for _, sum := range []struct {
		name string
		but  []string
	}{{"ocjail's own", bwraps}, {"of it not beside bwrap's building", slices.Concat(bwraps, beside)}} {
		a, b := without(nix, sum.but...), without(long, sum.but...)
		fmt.Printf("| **%s** | **%.2f** | **%.2f** (%.1f times) |\n", sum.name, a, b, b/a)
	}
	fmt.Println("\nmeasured " + time.Now().UTC().Format(time.DateOnly))
}
