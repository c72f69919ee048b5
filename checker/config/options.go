package config

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Options is what a project says by the options of the Nix module, as its
// manifest has them: programs.opencode.policy.*, protectedPaths, reviewedPaths.
type Options struct {
	Enable   *bool
	Mode     *string
	Approval *string
	Bundles  []string // store paths
	Config   *struct{ File, Text string }
	Rules    []string // store paths
	Protect  []string
	Review   []string
}

// Parse returns the options as files of the project's layer. What this ocjail
// can't do is an error, for the project may rely on it.
func (o Options) Parse() ([]*File, error) {
	if err := o.supported(); err != nil {
		return nil, err
	}
	f := &File{Name: "the devenv module's options", Layer: Project, None: reflect.ValueOf(o).IsZero()}
	var err error
	if f.sum, err = o.sum(); err != nil {
		return nil, err
	}
	if o.Mode != nil {
		f.Gate.Mode = &Said[Mode]{Mode(*o.Mode), option("policy.mode")}
	}
	if o.Enable != nil && !*o.Enable { // a check that refuses nothing
		f.Gate.Mode = &Said[Mode]{Observe, option("policy.enable")}
	}
	// "widening" is what holds for the module's jails anyway (Gate.Asks). Taken for the
	// project's wish, the option's default would overrule a user who switched it off.
	if o.Approval != nil && *o.Approval != string(ApprovalWidening) {
		f.Gate.Approval = &Said[Approval]{Approval(*o.Approval), option("policy.approval")}
	}
	if err := o.paths(f); err != nil {
		return nil, err
	}
	for i, p := range o.Rules {
		f.Policies = append(f.Policies, Policy{Name: fmt.Sprintf("rules-%d", i), Path: p, Layer: Project, Pos: option("policy.rules")})
	}
	for i, p := range o.Bundles {
		f.Policies = append(f.Policies, Policy{Name: fmt.Sprintf("bundles-%d", i), Path: p, Layer: Project, Pos: option("policy.bundles"), Bundle: true})
	}
	files := []*File{f}
	if o.Config != nil {
		c, err := Parse(Project, o.Config.File, []byte(o.Config.Text))
		if err != nil {
			return nil, err
		}
		files = append(files, c)
	}
	return files, nil
}

// option is the place of one of the module's.
func option(name string) hclfile.Pos { return hclfile.Pos{File: "programs.opencode." + name} }

func (o Options) supported() error {
	if o.Mode != nil && *o.Mode != string(Enforce) && *o.Mode != string(Observe) {
		return option("policy.mode").Errorf("unknown mode %q: write %s or %s", *o.Mode, Enforce, Observe)
	}
	if o.Approval != nil && !slices.Contains(Approvals, *o.Approval) {
		return option("policy.approval").Errorf("unknown approval %q: write one of %s", *o.Approval, strings.Join(Approvals, ", "))
	}
	for _, b := range o.Bundles {
		if strings.Contains(b, "://") {
			return option("policy.bundles").Errorf("%s: a project can have none fetched: make it an input of the flake (url = \"file+https://…\", flake = false) and name that", hclfile.Escape(b))
		}
	}
	for name, paths := range map[string][]string{"policy.rules": o.Rules, "policy.bundles": o.Bundles} {
		for _, p := range paths {
			if !path.IsAbs(p) || path.Clean(p) != p || hclfile.Escape(p) != p {
				return option(name).Errorf("%s is no path in the Nix store; enter the devenv shell again", hclfile.Escape(p))
			}
		}
	}
	return nil
}

func (o Options) paths(f *File) error {
	if len(o.Protect) > 0 {
		f.Protect = &Said[[]string]{Pos: option("protectedPaths")}
	}
	for _, p := range o.Protect {
		if !validRelative(p) || strings.HasPrefix(p, "~") || strings.ContainsAny(p, "*?[{") {
			return option("protectedPaths").Errorf("%q: write a path relative to the project's root, without \"..\" and patterns, as in \".git/hooks\"", p)
		}
		f.Protect.Value = append(f.Protect.Value, p)
	}
	for _, p := range o.Review {
		if !validRelative(p) || strings.HasPrefix(p, "~") || !validPattern(p) {
			return option("reviewedPaths").Errorf("%q: write a path or a pattern relative to the project's root, as in \"devenv.nix\" or \".vscode/**\"", p)
		}
		f.Review = append(f.Review, Said[string]{p, option("reviewedPaths")})
	}
	return nil
}
